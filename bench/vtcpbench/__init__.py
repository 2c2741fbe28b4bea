# SPDX-License-Identifier: Apache-2.0
"""The native bench: vtcp-nic beside its peers, on the same work, in one run.

Theory of operation. A *peer* is a way from a guest to the host's TCP, or to nowhere. A *part* is a kind of work (TCP, latency, packets...)
with the peers that can do it. A run goes through the parts as often as repetitions are asked for, and within each part through its cells
(a piece of work and a peer) in an order that a seed shuffles anew each time: so what else the machine does hits all peers alike. Each cell is a
session of its own: two fresh network namespaces, a fresh back-end, a fresh front-end. The front-end (vtcp-bench) is the same for all; its
guest is this machine's own kernel, in one of the two namespaces.

Everything runs as a child that dies with this program, in namespaces that live only in a child (vtcpbed), and a guard (`Guard`) takes back what
the kernel would keep. Directions are the guest's: transmit is guest to host, receive is host to guest.
"""
