// SPDX-License-Identifier: Apache-2.0

// LargeSend: what the sender of a large frame asked for, and doing it in software.
//
//   1. `OffloadCheck` decides whether a request (`Wire.VirtioNetHeader`) fits the frame that it came with. The request
//      comes from a guest or the network, both hostile. What it lets through is an `OffloadRequest`; those below
//      take nothing else.
//   2. `ChecksumCompletion` writes the checksum that was left partial, where whoever comes next cannot.
//   3. `LargeSendSplitter` cuts a frame that is larger than the next stage takes (`EgressLimits`) into frames that it takes
//      and cuts in turn: multi-stage large send offload. Headers are made, payload is only pointed at.
//   4. `SoftwareSegmentation` turns one large TCP segment, or many UDP datagrams in one frame, into frames of their
//      own: headers are made, payload is only pointed at.
//
// How large the packets ought to be that the third cuts is found by `FirstSizeTuner`, from what they cost.
//
// The second and the fourth work on a private, contiguous copy of the frame: the request was checked against those very
// bytes. The third needs such a copy of the headers only. `hdr_len` of the request is never looked at (virtio 1.3
// §5.1.6.2 calls it a hint); neither are IPv4's total length, IPv6's payload length, UDP's length and the partial checksum
// where the frame is segmented, as all are made anew.
//
// A frame of more than 65,535 bytes comes in three forms: IPv4 with total length 0, IPv6 with payload length 0, with or
// without a hop-by-hop header that says its length (`JumboPayload` takes it out before anything else looks).
//
// Limits: no tunnels, no fragmentation of a datagram (UFO), no Mobile IPv6 home address option in the pseudo-header.
