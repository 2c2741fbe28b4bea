// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Testing

@testable import CongestionControl

@Suite("BBR: the largest number of the last rounds")
struct WindowedMaximumTests {
  @Test("It is one of the last ten rounds', not below the newest, and the largest if numbers fall or rise")
  func falling() {
    var (falling, rising) = (WindowedMaximum(), WindowedMaximum())
    for round in 0..<100 as Range<UInt16> {
      falling.add(Float(1000 - Int(round)), round: round, length: 10)
      rising.add(Float(round), round: round, length: 10)
      #expect(rising.value == Float(round))
      #expect(falling.value <= Float(1000 - max(Int(round) - 10, 0)))
      #expect(falling.value >= Float(1000 - Int(round)))
    }
  }

  @Test("A single peak counts for ten rounds, and not for more")
  func peak() {
    var maximum = WindowedMaximum()
    maximum.add(100, round: 65_530, length: 10)
    for round in 1...10 as ClosedRange<UInt16> {
      maximum.add(7, round: 65_530 &+ round, length: 10)
      #expect(maximum.value == 100)
    }
    maximum.add(7, round: 65_530 &+ 11, length: 10)
    #expect(maximum.value == 7)
  }

  @Test("After a pause that is longer than the window, all is forgotten")
  func pause() {
    var maximum = WindowedMaximum()
    for round in 0..<5 as Range<UInt16> { maximum.add(100 - Float(round), round: round, length: 10) }
    maximum.add(1, round: 40, length: 10)
    #expect(maximum.value == 1)
  }

  @Test("Against all numbers of the window", arguments: 0..<20 as Range<UInt64>)
  func naive(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var maximum = WindowedMaximum()
    var all: [(round: Int, number: Float)] = []
    var round = 0
    for _ in 0..<2000 {
      if Int.random(in: 0..<3, using: &random) == 0 { round += 1 }
      let number = Float(Int.random(in: 1...1000, using: &random))
      all.append((round, number))
      maximum.add(number, round: UInt16(truncatingIfNeeded: round), length: 10)
      let window = all.suffix(200).filter { round - $0.round <= 10 }.map(\.number)
      #expect(window.contains(maximum.value))
      // Of the last quarter nothing is missed.
      let recent = all.suffix(200).filter { round - $0.round < 2 }.map(\.number).max() ?? 0
      #expect(maximum.value >= recent)
    }
  }
}
