// SPDX-License-Identifier: Apache-2.0

/// Logarithms of whole numbers to base 2, as whole numbers of 65,536ths. There is no libm below the datapath, and no infinity here.
enum BinaryLogarithm {
  static let doubling = 1 << 16

  /// Of what is below 1 it is that of 1. Never falls where `value` rises.
  static func of(_ value: Int) -> Int {
    guard value > 1 else { return 0 }
    let exponent = Int.bitWidth &- 1 &- value.leadingZeroBitCount
    // From 1 up to 2, with 31 bits behind the point. Squared, each time, it says one bit more.
    var mantissa = (UInt64(value) << UInt64(value.leadingZeroBitCount)) >> 32
    var fraction = 0
    for _ in 0..<16 {
      mantissa = (mantissa &* mantissa) >> 31
      let isDoubled = mantissa >> 32 != 0
      if isDoubled { mantissa >>= 1 }
      fraction = fraction << 1 | (isDoubled ? 1 : 0)
    }
    return exponent << 16 | fraction
  }

  /// The largest number whose logarithm is not more than `logarithm`; 0 if there is none.
  static func power(_ logarithm: Int) -> Int {
    guard logarithm >= 0 else { return 0 }
    var value = 0
    for bit in stride(from: min(logarithm >> 16, 62), through: 0, by: -1) where of(value | 1 << bit) <= logarithm {
      value |= 1 << bit
    }
    return value
  }
}
