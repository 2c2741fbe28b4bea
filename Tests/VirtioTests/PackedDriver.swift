// SPDX-License-Identifier: Apache-2.0

import Memory

/// A driver's side of a packed ring, by the specification (2.8); a value, so that a test can go back to it.
struct PackedDriver {
  private struct Outstanding {
    let id: UInt16
    let slots: Int
  }

  let size: Int
  private var next = 0
  private var nextWrap = true
  private var used = 0
  private var usedWrap = true
  private var outstanding: [Outstanding] = []
  private var lastID: UInt16 = 100

  init(size: Int) { self.size = size }

  /// Buffers that the device has, in order.
  var ids: [UInt16] { outstanding.map(\.id) }
  var free: Int { size - outstanding.reduce(0) { $0 + $1.slots } }
  /// Where the driver goes on, as in `VHOST_USER_SET_VRING_BASE`.
  var position: UInt16 { UInt16(next) | (nextWrap ? 0x8000 : 0) }

  /// Makes a chain of `slots` descriptors available; they must be free.
  mutating func post(_ slots: Int, in memory: ByteRegion) {
    lastID &+= 1
    let head = (offset: 16 * next, flags: flags(more: slots > 1))
    for slot in 0..<slots {
      let address = RingBed.guestAddress + UInt64(RingBed.dataOffset + 16 * next)
      memory.store(address, at: 16 * next)
      memory.store(UInt32(8), at: 16 * next + 8)
      memory.store(lastID, at: 16 * next + 12)
      if slot > 0 { memory.store(flags(more: slot + 1 < slots), at: 16 * next + 14) }
      next += 1
      if next == size { (next, nextWrap) = (0, !nextWrap) }
    }
    memory.store(head.flags, at: head.offset + 14)
    outstanding.append(Outstanding(id: lastID, slots: slots))
  }

  private func flags(more: Bool) -> UInt16 { (nextWrap ? 0x80 : 0x8000) | (more ? 1 : 0) }

  /// Takes back what the device has used: how many buffers, or nil if one is not the next that the device had.
  mutating func collect(from memory: ByteRegion) -> Int? {
    var count = 0
    while true {
      let flags: UInt16 = memory.load(at: 16 * used + 14)
      guard (flags & 0x80 != 0) == usedWrap, (flags & 0x8000 != 0) == usedWrap else { return count }
      guard let first = outstanding.first, first.id == memory.load(UInt16.self, at: 16 * used + 12) else { return nil }
      outstanding.removeFirst()
      used += first.slots
      if used >= size { (used, usedWrap) = (used - size, !usedWrap) }
      count += 1
    }
  }
}
