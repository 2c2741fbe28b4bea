// SPDX-License-Identifier: Apache-2.0

import Foundation
import FrameSupport
import Testing

@testable import LargeSend

@Suite("Binary logarithms of whole numbers")
struct BinaryLogarithmTests {
  @Test("Within a 65,536th of libm's, of numbers of any size")
  func accuracy() {
    var generator = SplitMix64(seed: 1)
    for _ in 0..<20_000 {
      let value = Int(truncatingIfNeeded: generator.next() >> UInt64.random(in: 1...62, using: &generator))
      let logarithm = Double(BinaryLogarithm.of(value)) / 65536
      let error = log2(Double(max(value, 1))) - logarithm
      #expect(error > -1e-9 && error < 1.1 / 65536, "\(value)")
    }
  }

  @Test("Powers of two are exact; what has no logarithm has that of 1", arguments: 0..<63)
  func powers(exponent: Int) {
    #expect(BinaryLogarithm.of(1 << exponent) == exponent << 16)
    #expect(BinaryLogarithm.of(-(1 << exponent)) == 0)
    #expect(BinaryLogarithm.power(exponent << 16) >> exponent == 1)
    #expect(BinaryLogarithm.power(-exponent - 1) == 0)
  }

  @Test("It never falls, to the largest number there is")
  func order() {
    var previous = 0
    for value in 0..<70_000 {
      #expect(BinaryLogarithm.of(value) >= previous)
      previous = BinaryLogarithm.of(value)
    }
    #expect(BinaryLogarithm.of(.max) == (63 << 16) - 1)
    #expect(BinaryLogarithm.of(.min) == 0)
    #expect(BinaryLogarithm.power(.max) == .max)
  }

  @Test("A number comes back from its logarithm, to a 65,536th of a doubling")
  func back() {
    var generator = SplitMix64(seed: 2)
    for _ in 0..<500 {
      let value = Int(truncatingIfNeeded: generator.next() >> UInt64.random(in: 1...62, using: &generator))
      let back = BinaryLogarithm.power(BinaryLogarithm.of(value))
      #expect(back >= value && Double(back) <= Double(value) * 1.000_012 + 1)
      #expect(BinaryLogarithm.of(back) == BinaryLogarithm.of(value))
    }
  }
}
