// SPDX-License-Identifier: Apache-2.0

import Memory

/// A front-end that serves a packed ring while no device is there, as QEMU does: it gives everything back unused, from the place
/// where it believes that the device stopped.
struct DroppingFrontEnd {
  var index: Int
  var wrap: Bool

  /// Gives back what is available where it stands, chain by chain. Returns how many buffers.
  mutating func dropAll(in memory: ByteRegion, size: Int) -> Int {
    var dropped = 0
    while true {
      let head = index
      var flags: UInt16 = memory.load(at: 16 * head + 14)
      guard (flags & 0x80 != 0) == wrap, (flags & 0x8000 != 0) != wrap else { return dropped }
      let lap = wrap
      advance(size)
      while flags & RingBed.next != 0 {
        flags = memory.load(at: 16 * index + 14)
        advance(size)
      }
      memory.store(UInt32(0), at: 16 * head + 8)
      memory.store(UInt16(lap ? 0x8080 : 0), at: 16 * head + 14)
      dropped += 1
    }
  }

  private mutating func advance(_ size: Int) {
    index += 1
    if index == size { (index, wrap) = (0, !wrap) }
  }
}
