// SPDX-License-Identifier: Apache-2.0

import Memory

/// Packed virtqueues (virtio 1.3, 2.8).
extension DriverQueue {
  private static let availableBit: UInt16 = 0x80
  private static let usedBit: UInt16 = 0x8000
  private static let disable: UInt16 = 1
  private static let atDescriptor: UInt16 = 2

  @inline(__always)
  mutating func offerPacked(slot: Int, address: UInt64, length: Int, flags: UInt16) {
    let offset = 16 &* nextAvailable
    descriptors.store64(address, at: offset)
    descriptors.store32(UInt32(truncatingIfNeeded: length), at: offset &+ 8)
    descriptors.store16(UInt16(truncatingIfNeeded: slot), at: offset &+ 12)
    descriptors.storeRelease16(flags | (availableWrap ? Self.availableBit : Self.usedBit), at: offset &+ 14)
    nextAvailable &+= 1
    unconsidered &+= 1
    guard nextAvailable == size else { return }
    nextAvailable = 0
    availableWrap.toggle()
  }

  @inline(__always)
  private func isUsed(_ index: Int, _ wrap: Bool) -> Bool {
    let flags = descriptors.loadAcquire16(at: 16 &* index &+ 14)
    return (flags & Self.availableBit != 0) == wrap && (flags & Self.usedBit != 0) == wrap
  }

  @inline(__always)
  mutating func takeUsedPacked() -> Used? {
    guard isUsed(nextUsed, usedWrap) else { return nil }
    let word = descriptors.load64(at: 16 &* nextUsed &+ 8)
    nextUsed &+= 1
    if nextUsed == size {
      nextUsed = 0
      usedWrap.toggle()
    }
    return Used(slot: Int(word >> 32 & 0xffff), length: Int(word & 0xffff_ffff))
  }

  @inline(__always)
  func hasUsedPacked(_ count: Int) -> Bool {
    let place = nextUsed &+ count &- 1
    return place < size ? isUsed(place, usedWrap) : isUsed(place &- size, !usedWrap)
  }

  mutating func needsKickPacked() -> Bool {
    let moved = unconsidered
    unconsidered = 0
    guard moved > 0 else { return false }
    fullFence()
    let word = device.load32(at: 0)
    let flags = UInt16(truncatingIfNeeded: word >> 16) & 3
    guard flags != Self.disable else { return false }
    guard flags == Self.atDescriptor, eventIndex else { return true }
    var event = Int(word & 0x7fff)
    if (word & 0x8000 != 0) != availableWrap { event -= size }
    let distance = nextAvailable - event - 1
    return distance >= 0 && distance < moved
  }

  mutating func wantInterruptPacked(after count: Int) -> Bool {
    let wanted = eventIndex ? max(count, 1) : 1
    var place = nextUsed + wanted - 1
    var wrap = usedWrap
    if place >= size {
      place -= size
      wrap.toggle()
    }
    if eventIndex {
      driver.store16(UInt16(truncatingIfNeeded: place) | (wrap ? 0x8000 : 0), at: 0)
      driver.storeRelease16(Self.atDescriptor, at: 2)
    } else {
      driver.store16(0, at: 2)
    }
    fullFence()
    return !isUsed(place, wrap)
  }
}
