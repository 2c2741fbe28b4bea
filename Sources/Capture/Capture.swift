// SPDX-License-Identifier: Apache-2.0

// Frames for others to look at, as pcapng files have them (IETF draft-ietf-opsawg-pcapng): with the leg and the direction of each, and with a
// comment that says what became of it.
//
// # Theory of operation
//
// Who wants to see frames has a `PacketCapture`: a filter, a length up to which frames are copied, and memory of a fixed size (`CaptureRing`)
// in which whole blocks wait until somebody takes them. A frame is written in two steps, since what becomes of it is known when it may be
// changed already: `open` copies it, `close` adds the comment. If there is no room the frame is counted as missed and nothing waits: the next
// one that finds room says how many there were, and so do the statistics at the end.
//
// `PcapngReader` reads what comes of it, or any other such file, and believes nothing. Nothing here opens, writes or reads files.
