# SPDX-License-Identifier: Apache-2.0
"""DPDK between two guests."""

from ..session import GUEST, HOST
from .testpmd import Testpmd


class TwoPorts(Testpmd):
    """dpdk-testpmd between two vhost ports with TSO: the "host" is a second front-end, in the host's namespace. Large segments pass
    uncut, which net_tap can't do: DPDK's best case for TCP without a network card."""

    def __init__(self):
        super().__init__("dpdk-two", "DPDK, two vhost ports, TSO")

    def connect(self, session):
        sockets = [session.path("v0"), session.path("v1")]
        # Legacy flags: what a port receives is marked as it has to be for sending, so a large segment stays one.
        devices = [f"net_vhost{number},iface={path},queues=1,tso=1,legacy-ol-flags=1" for number, path in enumerate(sockets)]
        self.run(session, devices, sockets, "io")
        session.start_front_end(session.guest, sockets[0], GUEST)
        session.start_front_end(session.host, sockets[1], HOST)
        session.interface = "tap0"
        session.wait_reachable()
