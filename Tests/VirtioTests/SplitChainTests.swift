// SPDX-License-Identifier: Apache-2.0

import Memory
import Testing

@testable import Virtio

@Suite("Split ring: every chain that a small ring can hold")
struct SplitChainTests {
  /// What one descriptor may say.
  private struct Choice {
    let flags: UInt16
    let next: Int
  }

  /// All that matters of a descriptor in a ring or table of `size`: `next` counts with its flag only.
  private static func choices(_ size: Int) -> [Choice] {
    let others = [0, RingBed.write, RingBed.indirect, RingBed.write | RingBed.indirect]
    return others.map { Choice(flags: $0, next: 0) }
      + others.flatMap { flags in (0...size).map { Choice(flags: flags | RingBed.next, next: $0) } }
  }

  /// The chain from `head`, by the specification (2.7.5, 2.7.5.3): nil if it breaks the rules. Buffer n lies at 64 n.
  private static func expected(_ choices: [Choice], from head: Int, table: Bool = false) -> [BufferRange]? {
    var result: [BufferRange] = []
    var index = head
    for _ in choices {
      let choice = choices[index]
      // The write flag of a descriptor that refers to a table means nothing (2.7.5.3.2).
      guard choice.flags & 6 != RingBed.write else { return nil }
      if choice.flags & RingBed.indirect != 0 {
        guard !table, choice.flags & RingBed.next == 0 else { return nil }
        return result + [range(100)]
      }
      result.append(range(index))
      guard choice.flags & RingBed.next != 0 else { return result }
      guard choice.next < choices.count else { return nil }
      index = choice.next
    }
    return nil
  }

  private static func range(_ index: Int) -> BufferRange {
    BufferRange(RingBed.guestAddress + UInt64(RingBed.dataOffset + 64 * index), 10 + index)
  }

  /// Calls `body` with every way to fill `count` places.
  private static func forAll(_ count: Int, _ choices: [Choice], _ body: ([Choice]) throws -> Void) rethrows {
    var digits = [Int](repeating: 0, count: count)
    while true {
      try body(digits.map { choices[$0] })
      guard let place = digits.firstIndex(where: { $0 + 1 < choices.count }) else { return }
      for lower in 0..<place { digits[lower] = 0 }
      digits[place] += 1
    }
  }

  private static func write(_ ring: [Choice], to bed: RingBed) {
    for (index, choice) in ring.enumerated() {
      if choice.flags & RingBed.indirect != 0 {
        let table = RingBed.guestAddress + UInt64(RingBed.tableOffset)
        bed.writeSplit(index, table, 16, choice.flags, next: choice.next)
      } else {
        bed.writeSplit(index, range(index).address, range(index).length, choice.flags, next: choice.next)
      }
    }
  }

  @Test func everyRingOfFourYieldsExactlyTheSoundChainsAndNoVectorsOfOthers() throws {
    let bed = try RingBed(.split, size: 4)
    bed.writeSplit(0, Self.range(100).address, Self.range(100).length, 0, next: 0, offset: RingBed.tableOffset)
    bed.makeAvailable([0, 1, 2, 3])
    var list = ChainList(chains: 8, vectors: 0)
    defer { list.deallocate() }
    var wrong = 0
    var sound = 0
    let queue = try bed.startedQueue()
    Self.forAll(4, Self.choices(4)) { ring in
      Self.write(ring, to: bed)
      if queue.pop(limit: 8, into: &list) != 4 { wrong += 1 }
      var vectors = 0
      for head in 0..<list.count {
        let chain = list.chains[list.first + head]
        let expected = Self.expected(ring, from: head)
        sound += expected == nil ? 0 : 1
        vectors += expected?.count ?? 0
        let isRight = chain.isSound == (expected != nil) && bed.vectors(of: chain, in: list) == expected ?? []
        if !isRight || chain.id != head || chain.byteCount != (expected ?? []).reduce(0, { $0 + $1.length }) {
          wrong += 1
        }
      }
      if list.vectorsEnd - list.firstVector != vectors { wrong += 1 }
      queue.rewind(&list)
    }
    #expect(wrong == 0)
    #expect(sound > 1000)
    #expect(queue.fault == nil)
  }

  @Test(arguments: [0, 8, 16, 32, 40, 48, 64])
  func everyTableOfThreeYieldsExactlyTheSoundChains(tableLength: Int) throws {
    let bed = try RingBed(.split, size: 4)
    bed.writeSplit(
      0, RingBed.guestAddress + UInt64(RingBed.tableOffset), tableLength, RingBed.indirect, next: 0)
    bed.makeAvailable([0])
    var list = ChainList(chains: 8, vectors: 0)
    defer { list.deallocate() }
    var wrong = 0
    let entries = min(tableLength / 16, 3)
    let queue = try bed.startedQueue()
    Self.forAll(3, Self.choices(3)) { table in
      for (index, choice) in table.enumerated() {
        bed.writeSplit(
          index, Self.range(index).address, Self.range(index).length, choice.flags, next: choice.next,
          offset: RingBed.tableOffset)
      }
      // The fourth entry of the longest table: the end of a chain that no other leads to by less than `next` 3.
      bed.writeSplit(3, Self.range(3).address, Self.range(3).length, 0, next: 0, offset: RingBed.tableOffset)
      let whole = tableLength == 64 ? table + [Choice(flags: 0, next: 0)] : Array(table.prefix(entries))
      let expected =
        tableLength % 16 == 0 && tableLength > 0 ? Self.expected(whole, from: 0, table: true) : nil
      if queue.pop(limit: 8, into: &list) != 1 { wrong += 1 }
      let chain = list.chains[list.first]
      if chain.isSound != (expected != nil) || bed.vectors(of: chain, in: list) != expected ?? [] { wrong += 1 }
      queue.rewind(&list)
    }
    #expect(wrong == 0)
  }

  @Test(arguments: [(0, 4, false), (4, 0, true), (5, 4, true), (65535, 4, true)])
  func headsAndIndicesOutsideTheRingStopTheQueue(available: Int, head: Int, isFault: Bool) throws {
    let bed = try RingBed(.split, size: 4)
    bed.makeAvailable([head])
    bed.memory.store(UInt16(available), at: RingBed.driverOffset + 2)
    var list = ChainList(chains: 8, vectors: 0)
    defer { list.deallocate() }
    let queue = try bed.startedQueue()
    let popped = queue.pop(limit: 8, into: &list)
    let expected: QueueFault? = available > 4 ? .availableIndexJump : nil
    if available == 4 {
      #expect(popped == 4)
    } else {
      #expect(popped == 0 && queue.fault == expected)
      #expect(isFault == (queue.fault != nil))
    }
  }

  @Test func headOutsideTheRingStopsTheQueue() throws {
    let bed = try RingBed(.split, size: 4)
    bed.makeAvailable([4])
    var list = ChainList(chains: 8, vectors: 0)
    defer { list.deallocate() }
    let queue = try bed.startedQueue()
    #expect(queue.pop(limit: 8, into: &list) == 0)
    #expect(queue.fault == .headOutOfRange)
    #expect(queue.pop(limit: 8, into: &list) == 0 && !queue.hasAvailable)
  }
}
