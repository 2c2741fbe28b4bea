// SPDX-License-Identifier: Apache-2.0

import Arena
import FrameSupport
import Memory
import Testing

@Suite("Record pool: fixed-size records in given memory")
struct RecordPoolTests {
  /// 24 bytes: a stride that no power of two is.
  struct Record: BitwiseCopyable, Equatable {
    var number: UInt64 = 0
    var more: UInt64 = 0
    var next = RecordIndex.none
  }
  typealias Pool = RecordPool<Record>

  private func withMemory(_ limit: Int, _ body: (ByteRegion) throws -> Void) rethrows {
    let region = ByteRegion.allocate(count: Pool.byteCount(limit: limit))
    defer { region.deallocate() }
    try body(region)
  }

  @Test func recordsAreGivenOutUpToTheLimitAndNoneBeyond() throws {
    try withMemory(5) { region in
      let pool = try Pool(over: region, limit: 5, creating: true)
      #expect((0..<5).map { _ in pool.allocate()?.rawValue } == [1, 2, 3, 4, 5])
      #expect(pool.allocate() == nil)
      #expect(pool.inUse == 5)
      pool.free(RecordIndex(rawValue: 3))
      #expect(pool.inUse == 4)
      #expect(pool.allocate()?.rawValue == 3)
      #expect(pool.allocate() == nil)
    }
  }

  @Test func whatWasGivenBackLastIsGivenOutFirstAndBeforeUntouchedMemory() throws {
    try withMemory(8) { region in
      let pool = try Pool(over: region, limit: 8, creating: true)
      for _ in 0..<4 { _ = pool.allocate() }
      for index: UInt32 in [2, 4, 1] { pool.free(RecordIndex(rawValue: index)) }
      #expect((0..<4).map { _ in pool.allocate()?.rawValue } == [1, 4, 2, 5])
      #expect(pool.highWater == 5)
    }
  }

  @Test func memoryOfRecordsThatWereNeverGivenOutIsNotTouched() throws {
    try withMemory(100) { region in
      region.fill(with: 0xa5)
      let pool = try Pool(over: region, limit: 100, creating: true)
      for _ in 0..<10 {
        if let index = pool.allocate() { pool[index] = Record() }
      }
      #expect(region.suffix(from: Pool.byteCount(limit: 100) - 90 * 24).bytes.allSatisfy { $0 == 0xa5 })
      // The words behind those of the first ten.
      #expect(region.slice(from: 64 + 10 * 4, count: 90 * 4).bytes.allSatisfy { $0 == 0xa5 })
    }
  }

  @Test func recordsLieApartAndAreChangedInPlace() throws {
    try withMemory(9) { region in
      let pool = try Pool(over: region, limit: 9, creating: true)
      let indices = (0..<9).compactMap { _ in pool.allocate() }
      for index in indices { pool[index] = Record(number: UInt64(index.rawValue), more: .max, next: index) }
      for index in indices { pool[index].number += 100 }
      for index in indices {
        #expect(pool[index] == Record(number: UInt64(index.rawValue) + 100, more: .max, next: index))
      }
    }
  }

  @Test func anotherInstanceOverTheSameMemoryGoesOn() throws {
    try withMemory(6) { region in
      let first = try Pool(over: region, limit: 6, creating: true)
      let indices = (0..<5).compactMap { _ in first.allocate() }
      for index in indices { first[index] = Record(number: UInt64(index.rawValue)) }
      first.free(indices[1])
      first.free(indices[3])
      let second = try Pool(over: region, limit: 6, creating: false)
      #expect(second.inUse == 3)
      #expect((0...7).filter { second.isInUse(RecordIndex(rawValue: $0)) } == [1, 3, 5])
      #expect(second[indices[4]].number == 5)
      #expect(Set((0..<3).compactMap { _ in second.allocate()?.rawValue }) == [2, 4, 6])
      #expect(second.allocate() == nil)
    }
  }

  /// Header fields and words as they are if a process was killed between any two stores.
  @Test(arguments: [0, 1, 2, 4])
  func whatAKilledProcessLeftHalfDoneIsMadeWholeFromTheMarks(head: UInt32) throws {
    try withMemory(4) { region in
      let first = try Pool(over: region, limit: 4, creating: true)
      for _ in 0..<4 { _ = first.allocate() }
      first.free(RecordIndex(rawValue: 2))
      region.store(head, at: 16)
      region.store(UInt32(9), at: 20)
      let second = try Pool(over: region, limit: 4, creating: false)
      #expect(second.inUse == 3)
      #expect(second.allocate()?.rawValue == 2)
      #expect(second.allocate() == nil)
    }
  }

  @Test func whoKnowsBetterThanTheMarksSaysWhatIsInUse() throws {
    try withMemory(8) { memory in
      let pool = try RecordPool<UInt64>(over: memory, limit: 8, creating: true)
      let given = (0..<5).compactMap { _ in pool.allocate() }
      pool.free(given[1])
      pool.keepOnly([false, true, false, false, true])
      #expect(pool.inUse == 2)
      #expect(given.map(pool.isInUse) == [false, true, false, false, true])
      let next = (0..<6).compactMap { _ in pool.allocate()?.rawValue }
      #expect(next == [1, 3, 4, 6, 7, 8])
      #expect(pool.allocate() == nil)
    }
  }

  @Test func memoryThatIsTooSmallIsRefused() {
    withMemory(10) { region in
      let needs = Pool.byteCount(limit: 11)
      #expect(throws: ArenaError.tooSmall(has: region.count, needs: needs)) {
        _ = try Pool(over: region, limit: 11, creating: true)
      }
    }
  }

  @Test func memoryThatIsNotAlignedIsRefused() {
    withMemory(10) { region in
      #expect(throws: ArenaError.notAligned(to: 64)) {
        _ = try Pool(over: region.suffix(from: 32), limit: 1, creating: true)
      }
    }
  }

  @Test func emptyMemoryIsNoPool() {
    withMemory(4) { region in
      #expect(throws: ArenaError.notAnArena) { _ = try Pool(over: region, limit: 4, creating: false) }
    }
  }

  @Test func poolsOfOtherRecordsAreRefused() throws {
    try withMemory(64) { region in
      _ = try Pool(over: region, limit: 64, creating: true)
      #expect(throws: ArenaError.otherShape(stride: 24, limit: 64)) {
        _ = try Pool(over: region, limit: 63, creating: false)
      }
      #expect(throws: ArenaError.otherShape(stride: 24, limit: 64)) {
        _ = try RecordPool<UInt64>(over: region, limit: 64, creating: false)
      }
    }
  }

  @Test(arguments: [(0, ArenaError.notAnArena), (12, .damaged)])
  func damagedHeadersAreRefused(offset: Int, error: ArenaError) throws {
    try withMemory(4) { region in
      _ = try Pool(over: region, limit: 4, creating: true)
      region.store(UInt32(5), at: offset)
      #expect(throws: error) { _ = try Pool(over: region, limit: 4, creating: false) }
    }
  }

  @Test func givingBackTwiceEndsTheProgram() async {
    await #expect(processExitsWith: .failure) {
      let pool = try Pool(
        over: ByteRegion.allocate(count: Pool.byteCount(limit: 2)), limit: 2, creating: true)
      guard let index = pool.allocate() else { return }
      pool.free(index)
      pool.free(index)
    }
  }

  @Test func givingBackNothingEndsTheProgram() async {
    await #expect(processExitsWith: .failure) {
      let pool = try Pool(
        over: ByteRegion.allocate(count: Pool.byteCount(limit: 2)), limit: 2, creating: true)
      pool.free(.none)
    }
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func behavesAsASetOfNumbers(seed: UInt64) throws {
    let limit = 1 + Int(seed) * 3
    try withMemory(limit) { region in
      var random = SplitMix64(seed: seed)
      var pool = try Pool(over: region, limit: limit, creating: true)
      var model: [RecordIndex: UInt64] = [:]
      for step in 0..<5_000 {
        switch Int.random(in: 0..<100, using: &random) {
        case 0: pool = try Pool(over: region, limit: limit, creating: false)
        case 1..<55:
          let index = pool.allocate()
          #expect((index == nil) == (model.count == limit))
          guard let index else { continue }
          pool[index] = Record(number: UInt64(step), more: 0, next: index)
          #expect(model.updateValue(UInt64(step), forKey: index) == nil)
        default:
          guard let index = model.keys.randomElement(using: &random) else { continue }
          #expect(pool[index] == Record(number: model[index] ?? 0, more: 0, next: index))
          pool.free(index)
          model[index] = nil
        }
        #expect(pool.inUse == model.count)
      }
      #expect(
        (1...UInt32(limit)).allSatisfy {
          pool.isInUse(RecordIndex(rawValue: $0)) == (model[RecordIndex(rawValue: $0)] != nil)
        })
    }
  }
}
