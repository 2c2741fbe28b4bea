// SPDX-License-Identifier: Apache-2.0

import Memory
import Testing

@testable import Virtio

@Suite("Notifications: against the specification's own words, position by position")
struct NotificationTests {
  @Test(arguments: [UInt16(0), 3, 65530, 65535])
  func splitRingNotifiesIfTheEventIndexWasPassed(old: UInt16) throws {
    let bed = try RingBed(.split, size: 8)
    var ring = SplitRing(size: 8, areas: try bed.areas(), eventIndex: true, base: 0)
    for moved in UInt16(0)...8 {
      for distance in UInt16(0)..<40 {
        let event = old &+ distance &- 20
        bed.memory.store(event, at: RingBed.driverOffset + 4 + 16)
        ring.signalled = old
        ring.usedIndex = old &+ moved
        // 2.7.7.2: the used index at which an element was placed equalled used_event.
        let expected = (0..<moved).contains { old &+ $0 == event }
        #expect(ring.needsNotification() == expected, "moved \(moved), event \(event)")
        #expect(ring.needsNotification() == false)
      }
    }
  }

  @Test(arguments: [false, true])
  func splitRingWithoutEventIndexObeysTheFlag(suppressed: Bool) throws {
    let bed = try RingBed(.split, size: 8)
    bed.memory.store(UInt16(suppressed ? 1 : 0), at: RingBed.driverOffset)
    var ring = SplitRing(size: 8, areas: try bed.areas(), eventIndex: false, base: 0)
    ring.usedIndex &+= 1
    #expect(ring.needsNotification() == !suppressed)
  }

  @Test(arguments: 1...5)
  func packedRingNotifiesIfTheEventPositionWasWritten(size: Int) throws {
    let bed = try RingBed(.packed, size: size)
    let list = listOfOne()
    defer { list.deallocate() }
    bed.memory.store(UInt16(2), at: RingBed.driverOffset + 2)
    for start in positions(size) {
      for moved in 1...size {
        for event in positions(size) {
          bed.memory.store(event.rawValue, at: RingBed.driverOffset)
          let base = UInt32(start.rawValue) | UInt32(start.rawValue) << 16
          var ring = PackedRing(
            size: UInt16(size), areas: try bed.areas(), eventIndex: true, base: base, journal: bed.journal)
          var written: [PackedPosition] = []
          for _ in 0..<moved {
            written.append(ring.nextUsed)
            _ = ring.push(1, of: list, written: 0)
          }
          ring.publish(bed.log)
          #expect(ring.needsNotification() == written.contains(event), "\(start) moved \(moved), event \(event)")
          #expect(ring.needsNotification() == false)
        }
      }
    }
  }

  /// A chain without a byte.
  private func listOfOne() -> ChainList {
    var list = ChainList(chains: 1, vectors: 0)
    list.append(DescriptorChain())
    return list
  }

  private func positions(_ size: Int) -> [PackedPosition] {
    [false, true].flatMap { wrap in (0..<size).map { PackedPosition(index: UInt16($0), wrap: wrap) } }
  }

  @Test(arguments: [(UInt16(0), true), (1, false), (2, true), (3, true)])
  func packedRingWithoutEventIndexObeysTheFlags(flags: UInt16, isWanted: Bool) throws {
    let bed = try RingBed(.packed, size: 4)
    bed.memory.store(flags, at: RingBed.driverOffset + 2)
    var ring = PackedRing(
      size: 4, areas: try bed.areas(), eventIndex: false, base: 0x8000_8000, journal: bed.journal)
    let list = listOfOne()
    defer { list.deallocate() }
    _ = ring.push(1, of: list, written: 0)
    ring.publish(bed.log)
    #expect(ring.needsNotification() == isWanted)
  }
}
