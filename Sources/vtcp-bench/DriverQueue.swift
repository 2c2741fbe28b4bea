// SPDX-License-Identifier: Apache-2.0

import Memory
import Virtio

/// The driver's side of one virtqueue that another process serves: split or packed, with or without the event index.
///
/// Every buffer takes one descriptor of the ring, whose number or id is the buffer's *slot*; longer chains stand in an
/// indirect table. It writes no more than a driver must: what is available becomes visible at `publish` in a split
/// ring and at once in a packed one.
struct DriverQueue {
  /// Where the ring lies in the guest.
  struct Place {
    let descriptors: UInt64
    let driver: UInt64
    let device: UInt64
  }

  struct Used {
    let slot: Int
    /// Bytes written.
    let length: Int
  }

  static let indirect: UInt16 = 4
  static let write: UInt16 = 2
  static let next: UInt16 = 1

  let size: Int
  let format: RingFormat
  let eventIndex: Bool
  let place: Place
  let descriptors: SharedRegion
  let driver: SharedRegion
  let device: SharedRegion

  /// Split: the available index, ahead of the published one, and where it stood when a kick was considered.
  var available: UInt16 = 0
  var considered: UInt16 = 0
  /// Split: the used index up to which buffers were taken back, and what was last read of the device's.
  var lastUsed: UInt16 = 0
  var knownUsed: UInt16 = 0
  /// Packed: the next descriptor to write and the next used one to look at, and their wrap counters.
  var nextAvailable = 0
  var availableWrap = true
  var nextUsed = 0
  var usedWrap = true
  /// Packed: descriptors written since a kick was considered.
  var unconsidered = 0

  /// Bytes of guest memory that a ring takes.
  static func byteCount(size: Int) -> Int {
    SharedArea.rounded(16 * size) + SharedArea.rounded(6 + 2 * size) + SharedArea.rounded(6 + 8 * size)
  }

  init(format: RingFormat, size: Int, eventIndex: Bool, in area: SharedArea) throws {
    self.format = format
    self.size = size
    self.eventIndex = eventIndex
    let descriptors = try area.take(16 * size)
    let driver = try area.take(6 + 2 * size)
    let device = try area.take(6 + 8 * size)
    place = Place(descriptors: descriptors.address, driver: driver.address, device: device.address)
    self.descriptors = SharedRegion(descriptors.memory)
    self.driver = SharedRegion(driver.memory)
    self.device = SharedRegion(device.memory)
  }

  /// What `VHOST_USER_SET_VRING_BASE` says of a new ring.
  var base: UInt32 { format == .packed ? 0x8000_8000 : 0 }

  /// Makes a buffer available. `flags`: `write`, `indirect`.
  @inline(__always)
  mutating func offer(slot: Int, address: UInt64, length: Int, flags: UInt16) {
    switch format {
    case .split: offerSplit(slot: slot, address: address, length: length, flags: flags)
    case .packed: offerPacked(slot: slot, address: address, length: length, flags: flags)
    }
  }

  @inline(__always)
  func publish() {
    if format == .split { driver.storeRelease16(available, at: 2) }
  }

  /// Whether the device asks for a kick because of what was published since this was asked last.
  mutating func needsKick() -> Bool {
    switch format {
    case .split: needsKickSplit()
    case .packed: needsKickPacked()
    }
  }

  /// The next buffer that the device gave back.
  @inline(__always)
  mutating func takeUsed() -> Used? {
    switch format {
    case .split: takeUsedSplit()
    case .packed: takeUsedPacked()
    }
  }

  /// Whether `count` more buffers, at most the ring's size, are used. Devices give buffers back in order.
  @inline(__always)
  mutating func hasUsed(_ count: Int) -> Bool {
    switch format {
    case .split: hasUsedSplit(count)
    case .packed: hasUsedPacked(count)
    }
  }

  /// Asks for an interrupt once `count` more buffers are used (without the event index: one). False if there are as many
  /// already, so that none may come.
  mutating func wantInterrupt(after count: Int) -> Bool {
    switch format {
    case .split: wantInterruptSplit(after: count)
    case .packed: wantInterruptPacked(after: count)
    }
  }

  /// Asks for no interrupt. With the event index of a split ring nothing needs to be said: the last one lies behind.
  func refuseInterrupts() {
    switch format {
    case .split: if !eventIndex { driver.store16(1, at: 0) }
    case .packed: driver.store16(1, at: 2)
    }
  }
}
