// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Testing
import Wire

@Suite("Sequence numbers: RFC 9293 section 3.4")
struct SequenceNumberTests {
  static let edges: [UInt32] = [
    0, 1, 2, 0x7fff_fffe, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_fffe, 0xffff_ffff,
  ]

  /// The shorter way from `right` to `left`, counted without wrapping.
  private func difference(_ left: UInt32, _ right: UInt32) -> Int {
    let forward = (Int(left) - Int(right) + (1 << 32)) % (1 << 32)
    return forward >= 1 << 31 ? forward - (1 << 32) : forward
  }

  private func expectOrder(_ one: UInt32, _ other: UInt32) {
    let left = SequenceNumber(rawValue: one)
    let right = SequenceNumber(rawValue: other)
    let expected = difference(one, other)
    #expect(left - right == expected)
    #expect(right.distance(to: left) == expected)
    #expect((left < right) == (expected < 0))
    #expect((left <= right) == (expected <= 0))
    #expect((left > right) == (expected > 0))
    #expect((left >= right) == (expected >= 0))
    #expect(SequenceNumber.later(left, right) == (difference(other, one) > 0 ? right : left))
    #expect(SequenceNumber.earlier(left, right) == (difference(other, one) < 0 ? right : left))
  }

  @Test(arguments: edges)
  func theShorterWayRoundSaysWhichIsEarlierAtEveryEdge(number: UInt32) {
    for base in Self.edges {
      for offset in Self.edges { expectOrder(number &+ base, offset &+ base) }
    }
  }

  @Test func anyTwoNumbersCompareAsTheirDistanceSays() {
    var generator = SplitMix64(seed: 1)
    for _ in 0..<10_000 {
      expectOrder(.random(in: 0...UInt32.max, using: &generator), .random(in: 0...UInt32.max, using: &generator))
    }
  }

  @Test(arguments: edges)
  func addingOctetsGoesRound(start: UInt32) {
    for octets in [0, 1, -1, 1448, -1448, 0x7fff_ffff, -0x8000_0000, 0xffff_ffff, 1 << 32, Int.max, Int.min] {
      // The low 32 bits of the sum, whatever its size.
      let sum = UInt32(truncatingIfNeeded: Int(start) &+ octets)
      var number = SequenceNumber(rawValue: start)
      #expect((number + octets).rawValue == sum)
      #expect((number - octets).rawValue == UInt32(truncatingIfNeeded: Int(start) &- octets))
      number += octets
      #expect(number.rawValue == sum)
    }
  }

  @Test(arguments: edges)
  func aRangeContainsItsStartAndNotItsEnd(start: UInt32) {
    for count in -3...3 {
      let first = SequenceNumber(rawValue: start)
      let range = SequenceRange(start: first, count: count)
      #expect(range.count == max(0, count))
      #expect(range.isEmpty == (count <= 0))
      for offset in -5...5 { #expect(range.contains(first + offset) == (0..<max(0, count)).contains(offset)) }
    }
  }

  @Test func theLongestRangeContainsAllButTheOtherHalf() {
    let start = SequenceNumber(rawValue: 0xffff_0000)
    let range = SequenceRange(start: start, count: 0x7fff_ffff)
    #expect(range.count == 0x7fff_ffff && range.contains(start + 0x7fff_fffe))
    #expect(!range.contains(start + 0x7fff_ffff) && !range.contains(start - 1))
    #expect(SequenceRange(start: start, end: start + 0x8000_0000).isEmpty)
  }
}
