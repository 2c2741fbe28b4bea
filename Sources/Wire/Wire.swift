// SPDX-License-Identifier: Apache-2.0

// Wire: octets <-> values, nothing else.
//
// Everything here is a pure function of the bytes it is given. Headers are decoded from a private copy (a guest may
// rewrite its own memory between a length check and the read that relies on it) and are written by patching octets in
// place. The steps of a frame:
//
//   1. `VirtioNetHeader` decodes the ten bytes in front of the frame (virtio 1.3 §5.1.6).
//   2. `FrameLayout` finds where the frame's headers begin and end.
//   3. `FlowHash` picks the queue or shard from addresses and ports.
//   4. `InternetChecksum` sums and updates what is changed.
//
// Of TCP (nothing in the datapath uses it yet; it is the vTCP module's, docs/vtcp.md):
//
//   1. `TCPSegment` reads the header and its `TCPOptions`. `SequenceNumber` calculates modulo 2³².
//   2. `TransportChecksum` verifies a segment whose payload lies in pieces.
//   3. `TCPHeaderPatch` changes a header where it lies and keeps its checksum.
//   4. `SegmentTemplate` writes the headers of a segment in the name of an end, from a frame of that end.
//
// Limits: at most two VLAN tags, at most eight IPv6 extension headers; AH and ESP are not looked into; tunnels are the
// payload of their outer header. What is beyond the limits is reported as not parsed, never guessed.
