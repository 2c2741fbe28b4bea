// SPDX-License-Identifier: Apache-2.0

import Memory

/// Input: how the NIC is made (1), then steps: a number (its low four bits count) and what the step takes.
///
///      0...7  a message: request (1), flags (1), how it is sent (1), descriptors (1 + 1 each), payload: see
///             `FrontEndScript`
///      8  what a sane front-end says, up to a started pair of rings: features (2), size (1), which part (1)
///      9  octets into the guest's memory: place (2, units of 16), count (1), octets
///     10  kick, events, turns: how many (1)
///     11  the memory file gets another length: pages (1)
///     12  replies are read: how many (1)
///     13  the connection ends, another begins
///     14  a message as often as said, 256 times in all: count (1), then as 0 with the payload's address counting on
///     15  a chain into the transmitq: place (2), length (2), flags (1)
///
/// Holds: replies are whole, and each is to a request, in order; no more memory than slots; when the front-end has gone
/// no memory, ring, event or descriptor is left.
enum MessagesTarget {
  static func run(_ input: consuming InputReader) throws {
    let stock = DescriptorStock.shared
    stock.reset()
    _ = FrontEndScript.poller
    // Whatever is made once is there after the first.
    let free = stock.lowestFree()
    do {
      let script = try FrontEndScript(&input)
      for _ in 0..<300 where !input.isAtEnd { try script.step(&input) }
      try script.finish()
    }
    let freeAfter = stock.lowestFree()
    try Finding.require(free == freeAfter, "a descriptor was left: the next is \(freeAfter), not \(free)")
  }
}
