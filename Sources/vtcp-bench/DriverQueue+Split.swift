// SPDX-License-Identifier: Apache-2.0

import Memory

/// Split virtqueues (virtio 1.3, 2.7).
extension DriverQueue {
  private var mask: UInt16 { UInt16(truncatingIfNeeded: size &- 1) }

  @inline(__always)
  mutating func offerSplit(slot: Int, address: UInt64, length: Int, flags: UInt16) {
    let offset = 16 &* slot
    descriptors.store64(address, at: offset)
    descriptors.store64(
      UInt64(UInt32(truncatingIfNeeded: length)) | UInt64(flags) << 32, at: offset &+ 8)
    driver.store16(UInt16(truncatingIfNeeded: slot), at: 4 &+ 2 &* Int(available & mask))
    available &+= 1
  }

  @inline(__always)
  mutating func takeUsedSplit() -> Used? {
    if lastUsed == knownUsed {
      knownUsed = device.loadAcquire16(at: 2)
      guard lastUsed != knownUsed else { return nil }
    }
    let word = device.load64(at: 4 &+ 8 &* Int(lastUsed & mask))
    lastUsed &+= 1
    return Used(slot: Int(word & 0xffff), length: Int(word >> 32))
  }

  @inline(__always)
  mutating func hasUsedSplit(_ count: Int) -> Bool {
    if Int(knownUsed &- lastUsed) >= count { return true }
    knownUsed = device.loadAcquire16(at: 2)
    return Int(knownUsed &- lastUsed) >= count
  }

  mutating func needsKickSplit() -> Bool {
    let old = considered
    considered = available
    guard old != available else { return false }
    fullFence()
    guard eventIndex else { return device.load16(at: 0) & 1 == 0 }
    let event = device.load16(at: 4 &+ 8 &* size)
    return available &- event &- 1 < available &- old
  }

  mutating func wantInterruptSplit(after count: Int) -> Bool {
    let wanted = UInt16(truncatingIfNeeded: eventIndex ? count : 1)
    if eventIndex {
      driver.store16(lastUsed &+ wanted &- 1, at: 4 &+ 2 &* size)
    } else {
      driver.store16(0, at: 0)
    }
    fullFence()
    knownUsed = device.loadAcquire16(at: 2)
    return knownUsed &- lastUsed < wanted
  }
}
