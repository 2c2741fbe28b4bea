// SPDX-License-Identifier: Apache-2.0

import Memory
import Virtio

/// Input: set-up of the NIC (4 octets, see `RingMachine.init`), then steps: a number (its low four bits count) and what
/// the step takes.
///
///      0  a descriptor of a queue's ring      queue and index (1), address, length (2 each), flags, next or id (1 each)
///      1  an entry of a table                 place (2), then as above without queue and index
///      2  octets into memory                  place (2), count (1), octets
///      3  make available                      split: queue (1), head (1); packed: as step 0, at the driver's position
///      4  available index or flags as they come   queue (1), number (2)
///      5  kick and a turn                     queue (1)
///      6  a turn later                        microseconds (1)
///      7  a frame from the network            virtio header (10), length (2), pattern (1)
///      8  memory that changes under the reader    after so many reads (1), the octet of what was read last (1), bits
///                                            (1); from 0x80 on a place (2) comes before the bits
///      9  stop and start anew                 queue (1), how (1), size (1), base (4)
///     10  enable or disable                   queue and which (1)
///     11  the memory table is said again      -
///     12  the network takes frames            how many (1)
///     13  the driver is about to sleep: kicks -
///     14  a whole frame to transmit           place (2), its shape (6)
///     15  events that the driver wants        queue (1), number (2)
///
/// Addresses and places are offsets in the guest's memory, in units of 2; from 0xff00 on an address is one of `oddities`.
///
/// Holds: what is written is marked in the dirty log, if there is one; outside of offered buffers and of the device's own areas nothing is written; each buffer comes back at most
/// once, in order, with no more octets than it has; a turn reads a bounded number of times; what is sent to the network
/// is whole, and asks for what its frame allows.
enum RingTarget {
  static func run(_ input: consuming InputReader, _ format: RingFormat) throws {
    let machine = try RingMachine(format, &input)
    defer { machine.end() }
    for _ in 0..<400 where !input.isAtEnd { try machine.step(&input) }
    try machine.finish()
  }
}
