// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Testing

@testable import Virtio

@Suite("Ring journal: whoever comes next goes on where the process before ended")
struct RingJournalTests {
  /// A device ends here: what is in memory then, and what the driver knows.
  private struct End {
    let ring: [UInt8]
    let journal: [UInt8]
    let driver: PackedDriver
  }

  /// A new device on what the old one left: the driver gets every buffer back once, in order, and none twice.
  private func goesOn(after end: End, size: Int, base: UInt32) throws -> Bool {
    let bed = try RingBed(.packed, size: size)
    bed.memory.copy(from: end.ring)
    bed.journalMemory.copy(from: end.journal)
    var driver = end.driver
    let queue = try bed.startedQueue(base: base)
    guard driver.collect(from: bed.memory) != nil else { return false }
    var list = ChainList(chains: 64, vectors: 0)
    defer { list.deallocate() }
    _ = queue.pop(limit: 64, into: &list)
    guard (list.first..<list.end).map({ list.chains[$0].id }) == driver.ids, queue.fault == nil,
      (list.first..<list.end).allSatisfy({ list.chains[$0].isSound })
    else { return false }
    // And on: another lap.
    queue.completeFirst(list.count, of: &list)
    _ = queue.publish()
    guard driver.collect(from: bed.memory) != nil, driver.ids.isEmpty else { return false }
    for _ in 0..<size { driver.post(1, in: bed.memory) }
    guard queue.pop(limit: 64, into: &list) == size else { return false }
    queue.completeFirst(size, of: &list)
    _ = queue.publish()
    return driver.collect(from: bed.memory) == size
  }

  /// Every state that memory can be in while a batch is published: between `before`, where its entries are in the
  /// journal, and `after`, where it is visible. What comes before the batch's first flags may be written in any order.
  private func statesBetween(
    before: End, ring after: [UInt8], journal journalAfter: [UInt8], start: Int, count: Int, startPosition: UInt16,
    _ random: inout SplitMix64
  ) -> [End] {
    let flags = 16 * start + 14
    let journal = ByteRegion.allocate(count: RingJournal.byteCount)
    defer { journal.deallocate() }
    journal.copy(from: before.journal)
    RingJournal(over: journal).willPublish(count, from: PackedPosition(rawValue: startPosition))
    let onRecord = journal.bytes
    var states = [before, End(ring: before.ring, journal: onRecord, driver: before.driver)]
    let changed = stride(from: 0, to: RingBed.driverOffset, by: 2).filter {
      $0 != flags && before.ring[$0..<$0 + 2] != after[$0..<$0 + 2]
    }
    func ring(_ offsets: [Int]) -> [UInt8] {
      var bytes = before.ring
      for offset in offsets { bytes.replaceSubrange(offset..<offset + 2, with: after[offset..<offset + 2]) }
      return bytes
    }
    // The order of the program: length before id before flags; and others.
    for length in 0...changed.count {
      states.append(End(ring: ring(Array(changed.prefix(length))), journal: onRecord, driver: before.driver))
    }
    let lengthOfFirst = changed.filter { $0 == 16 * start + 8 || $0 == 16 * start + 10 }
    for _ in 0..<4 where !changed.isEmpty {
      let some = changed.filter { _ in random.next() % 2 == 0 }
      states.append(End(ring: ring(lengthOfFirst + some), journal: onRecord, driver: before.driver))
    }
    states.append(End(ring: after, journal: onRecord, driver: before.driver))
    states.append(End(ring: after, journal: journalAfter, driver: before.driver))
    return states
  }

  @Test(arguments: [1, 2, 3, 4, 7, 8, 16], 0..<8)
  func endAtAnyMomentLosesNothingAndGivesNothingBackTwice(size: Int, seed: UInt64) throws {
    var random = SplitMix64(seed: seed &* 1000 &+ UInt64(size))
    let bed = try RingBed(.packed, size: size)
    let queue = try bed.startedQueue()
    var driver = PackedDriver(size: size)
    var list = ChainList(chains: 64, vectors: 0)
    defer { list.deallocate() }
    var failed: [String] = []
    for step in 0..<60 where failed.isEmpty {
      while driver.free > 0, random.next() % 4 != 0 {
        driver.post(1 + Int(random.next() % UInt64(min(driver.free, 4))), in: bed.memory)
      }
      _ = queue.pop(limit: 1 + Int(random.next() % 8), into: &list)
      let count = list.isEmpty ? 0 : 1 + Int(random.next() % UInt64(list.count))
      let startPosition = bed.journalMemory.load(UInt16.self, at: 4)
      queue.completeFirst(count, of: &list)
      let before = End(ring: bed.memory.bytes, journal: bed.journalMemory.bytes, driver: driver)
      _ = queue.publish()
      let states =
        count == 0
        ? [before]
        : statesBetween(
          before: before, ring: bed.memory.bytes, journal: bed.journalMemory.bytes,
          start: Int(startPosition & 0x7fff), count: count, startPosition: startPosition, &random)
      for (index, state) in states.enumerated() where try !goesOn(after: state, size: size, base: 0x8000_8000) {
        failed.append("step \(step), state \(index) of \(states.count), batch of \(count) at \(startPosition)")
      }
      let isConsistent = driver.collect(from: bed.memory) != nil
      #expect(isConsistent)
      if random.next() % 3 == 0 { queue.rewind(&list) }
    }
    #expect(failed.isEmpty, "\(failed)")
  }

  @Test(arguments: 1...4, 0...3)
  func ringThatItsDriverMadeAnewStartsAtItsBase(slots: Int, laps: Int) throws {
    let size = 8
    for posted in 0...size {
      let bed = try RingBed(.packed, size: size)
      let queue = try bed.startedQueue()
      var driver = PackedDriver(size: size)
      run(laps: laps, slots: slots, extra: 1, queue, &driver, bed)
      // The process ends; the guest is started anew and sets the ring up at the same place.
      bed.memory.fill(with: 0)
      driver = PackedDriver(size: size)
      for _ in 0..<posted { driver.post(1, in: bed.memory) }
      let next = try bed.startedQueue()
      var list = ChainList(chains: 64, vectors: 0)
      defer { list.deallocate() }
      #expect(next.pop(limit: 64, into: &list) == posted, "\(posted)")
      #expect((list.first..<list.end).map { list.chains[$0].id } == driver.ids)
    }
  }

  @Test(arguments: 1...4, 1...3)
  func usedRingIsTakenForNoNewOneWhereverItStands(slots: Int, laps: Int) throws {
    let size = 12
    for extra in 0..<size / slots {
      for posted in 0...size / slots {
        let bed = try RingBed(.packed, size: size)
        let queue = try bed.startedQueue()
        var driver = PackedDriver(size: size)
        run(laps: laps, slots: slots, extra: extra, queue, &driver, bed)
        for _ in 0..<posted where driver.free >= slots { driver.post(slots, in: bed.memory) }
        let end = End(ring: bed.memory.bytes, journal: bed.journalMemory.bytes, driver: driver)
        #expect(try goesOn(after: end, size: size, base: 0x8000_8000), "\(extra) \(posted)")
      }
    }
  }

  /// The front-end remembers the position of the last orderly stop, which may be any.
  @Test(arguments: 1...4, [UInt32(0x8003_8003), 0x0003_0003, 0x8000_8000])
  func journalIsFollowedWhateverTheFrontEndRemembers(slots: Int, base: UInt32) throws {
    for laps in 1...3 { try expectGoingOn(slots: slots, laps: laps, base: base) }
  }

  private func expectGoingOn(slots: Int, laps: Int, base: UInt32) throws {
    let size = 12
    for posted in 0...size / slots {
      let bed = try RingBed(.packed, size: size)
      let queue = try bed.startedQueue()
      var driver = PackedDriver(size: size)
      run(laps: laps, slots: slots, extra: 0, queue, &driver, bed)
      for _ in 0..<posted where driver.free >= slots { driver.post(slots, in: bed.memory) }
      let end = End(ring: bed.memory.bytes, journal: bed.journalMemory.bytes, driver: driver)
      #expect(try goesOn(after: end, size: size, base: base), "\(laps) laps, \(posted) posted")
    }
  }

  /// `laps` times round the ring with chains of `slots`, and `extra` chains more.
  private func run(
    laps: Int, slots: Int, extra: Int, _ queue: Virtqueue, _ driver: inout PackedDriver, _ bed: RingBed
  ) {
    var list = ChainList(chains: 64, vectors: 0)
    defer { list.deallocate() }
    for _ in 0..<laps * (bed.size / slots) + extra {
      driver.post(slots, in: bed.memory)
      _ = queue.pop(limit: 1, into: &list)
      queue.completeFirst(1, of: &list)
      _ = queue.publish()
      _ = driver.collect(from: bed.memory)
    }
  }

  @Test func journalOfAnotherRingIsNotFollowed() throws {
    let bed = try RingBed(.packed, size: 8)
    let queue = try bed.startedQueue()
    var driver = PackedDriver(size: 8)
    run(laps: 0, slots: 1, extra: 3, queue, &driver, bed)
    let good = bed.journalMemory.bytes
    // In use, size, position, count, entries, address.
    for (offset, value) in [(0, UInt16(0)), (2, 4), (4, 0x8008), (6, 1025), (8, 0x1234)] {
      bed.journalMemory.copy(from: good)
      bed.journalMemory.store(value, at: offset)
      let next = Virtqueue(direction: .deviceReadable, memory: bed.guest, journal: bed.journal)
      #expect(next.start(try bed.setup()) == false, "\(offset)")
    }
    bed.journalMemory.copy(from: good)
    let next = Virtqueue(direction: .deviceReadable, memory: bed.guest, journal: bed.journal)
    #expect(next.start(try bed.setup()))
  }
}
