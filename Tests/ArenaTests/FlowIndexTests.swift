// SPDX-License-Identifier: Apache-2.0

import Arena
import FrameSupport
import Memory
import Testing

@Suite("Flow index: from a hash to a record")
struct FlowIndexTests {
  private func withIndex(_ limit: Int, _ body: (FlowIndex, ByteRegion) throws -> Void) throws {
    let region = ByteRegion.allocate(count: FlowIndex.byteCount(limit: limit))
    defer { region.deallocate() }
    try body(FlowIndex(over: region, limit: limit, creating: true), region)
  }

  private func candidates(_ index: FlowIndex, _ hash: UInt64) -> [UInt32] {
    var found: [UInt32] = []
    var candidate = index.firstCandidate(hash)
    while !candidate.index.isNone {
      found.append(candidate.index.rawValue)
      candidate = index.nextCandidate(after: candidate)
    }
    return found
  }

  /// Hashes of few different tags in few different slots, or of any.
  private enum Hashes: CaseIterable {
    case random, fewSlots, fewTags, one

    func next(_ random: inout SplitMix64) -> UInt64 {
      switch self {
      case .random: random.next()
      case .fewSlots: random.next() & 0xffff_fff0_ffff_ffff
      case .fewTags: (random.next() & 7) << 32
      case .one: 7 << 32
      }
    }
  }

  @Test func recordIsFoundByItsHashUntilItIsRemoved() throws {
    try withIndex(10) { index, _ in
      #expect(index.insert(RecordIndex(rawValue: 7), hash: 0xabcd_ef01_2345_6789))
      #expect(candidates(index, 0xabcd_ef01_2345_6789) == [7])
      #expect(candidates(index, 0xabcd_ef02_2345_6789) == [])
      #expect(index.remove(RecordIndex(rawValue: 7), hash: 0xabcd_ef01_2345_6789))
      #expect(candidates(index, 0xabcd_ef01_2345_6789) == [])
      #expect(!index.remove(RecordIndex(rawValue: 7), hash: 0xabcd_ef01_2345_6789))
      #expect(index.count == 0)
    }
  }

  @Test func recordsOfEqualTagsAreCandidatesOneAfterTheOther() throws {
    try withIndex(100) { index, _ in
      for number: UInt32 in 1...100 { #expect(index.insert(RecordIndex(rawValue: number), hash: 5 << 32)) }
      #expect(candidates(index, 5 << 32).sorted() == Array(1...100))
      index.remove(RecordIndex(rawValue: 50), hash: 5 << 32)
      #expect(candidates(index, 5 << 32).sorted() == (1...100).filter { $0 != 50 })
    }
  }

  @Test func lookupsLookAtNoMoreThanTheReachWhoeverChoseTheKeys() throws {
    try withIndex(1_000) { index, _ in
      let taken = (1...1_000).count { index.insert(RecordIndex(rawValue: $0), hash: .max) }
      #expect(taken == FlowIndex.reach)
      #expect(candidates(index, .max).count == FlowIndex.reach)
      #expect(index.count == FlowIndex.reach)
      // There is place for other tags.
      #expect(index.insert(RecordIndex(rawValue: 1_000), hash: 0x1234_5678_0000_0000))
    }
  }

  @Test func noMoreThanTheLimitAreTaken() throws {
    try withIndex(5) { index, _ in
      var random = SplitMix64(seed: 1)
      #expect((1...8).map { index.insert(RecordIndex(rawValue: $0), hash: random.next()) }.count { $0 } == 5)
      #expect(index.count == index.limit)
    }
  }

  @Test(arguments: Array(1...6 as ClosedRange<UInt64>))
  func behavesAsADictionary(seed: UInt64) throws {
    for hashes in Hashes.allCases {
      var random = SplitMix64(seed: seed)
      let limit = [3, 50, 300, 1_000][Int(seed % 4)]
      try withIndex(limit) { index, _ in
        var model: [UInt64: Set<UInt32>] = [:]
        var hashOf: [UInt32: UInt64] = [:]
        for _ in 0..<4_000 {
          if Int.random(in: 0..<100, using: &random) < (hashOf.count < limit / 2 ? 70 : 45) {
            let hash = hashes.next(&random)
            let number = UInt32.random(in: 1...UInt32(limit * 2), using: &random)
            guard hashOf[number] == nil, index.insert(RecordIndex(rawValue: number), hash: hash) else { continue }
            hashOf[number] = hash
            model[hash >> 32, default: []].insert(number)
          } else if let (number, hash) = hashOf.randomElement(using: &random) {
            #expect(index.remove(RecordIndex(rawValue: number), hash: hash))
            hashOf[number] = nil
            model[hash >> 32]?.remove(number)
          }
          let asked = hashOf.randomElement(using: &random)?.value ?? hashes.next(&random)
          #expect(Set(candidates(index, asked)) == model[asked >> 32] ?? [])
        }
        #expect(index.count == hashOf.count)
        for (number, hash) in hashOf { #expect(candidates(index, hash).contains(number)) }
      }
    }
  }

  @Test func anotherInstanceOverTheSameMemoryGoesOn() throws {
    try withIndex(500) { index, region in
      var random = SplitMix64(seed: 3)
      let hashes = (0..<400).map { _ in random.next() }
      for (number, hash) in hashes.enumerated() {
        #expect(index.insert(RecordIndex(rawValue: UInt32(number + 1)), hash: hash))
      }
      let second = try FlowIndex(over: region, limit: 500, creating: false)
      #expect(second.count == 400)
      for (number, hash) in hashes.enumerated() { #expect(candidates(second, hash).contains(UInt32(number + 1))) }
    }
  }

  @Test func entryThatAKilledProcessLeftTwiceIsThereOnceForTheNext() throws {
    try withIndex(8) { index, region in
      for number: UInt32 in 1...4 { #expect(index.insert(RecordIndex(rawValue: number), hash: 3 << 32)) }
      // As if 2 had been removed, and 3 been moved to its place, but not yet removed from its own.
      region.store(region.load(UInt64.self, at: 64 + 5 * 8), at: 64 + 4 * 8)
      let second = try FlowIndex(over: region, limit: 8, creating: false)
      #expect(candidates(second, 3 << 32) == [1, 3, 4])
      #expect(second.count == 3)
    }
  }

  @Test func memoryThatHoldsSomethingElseIsRefused() throws {
    try withIndex(20) { index, region in
      #expect(throws: ArenaError.otherShape(stride: 8, limit: 20)) {
        _ = try FlowIndex(over: region, limit: 19, creating: false)
      }
      #expect(throws: ArenaError.tooSmall(has: region.count, needs: FlowIndex.byteCount(limit: 100))) {
        _ = try FlowIndex(over: region, limit: 100, creating: true)
      }
      #expect(throws: ArenaError.notAligned(to: 64)) {
        _ = try FlowIndex(over: region.suffix(from: 8), limit: 1, creating: true)
      }
      region.store(UInt8(1), at: 0)
      #expect(throws: ArenaError.notAnArena) { _ = try FlowIndex(over: region, limit: 20, creating: false) }
    }
  }

  @Test(arguments: [0x0000_0003_0000_0000, 0x0000_1000_0000_0001] as [UInt64])
  func entriesThatNobodyMadeAreRefused(entry: UInt64) throws {
    try withIndex(1_000) { _, region in
      region.store(entry, at: 64 + 1_024 * 8)
      #expect(throws: ArenaError.damaged) { _ = try FlowIndex(over: region, limit: 1_000, creating: false) }
    }
  }

  @Test func memoryWithoutAnEmptySlotIsRefused() throws {
    try withIndex(1_000) { _, region in
      for slot in 0..<2_048 { region.store(UInt64(slot) << 32 | 1, at: 64 + slot * 8) }
      #expect(throws: ArenaError.damaged) { _ = try FlowIndex(over: region, limit: 1_000, creating: false) }
    }
  }
}
