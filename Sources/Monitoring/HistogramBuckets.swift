// SPDX-License-Identifier: Apache-2.0

/// Buckets for numbers from 0 to 2³² - 1, each an eighth as wide as its numbers are large: eight for each power of two, and one for
/// each number below eight.
enum HistogramBuckets {
  static let count = 240

  /// Where `value` is counted; numbers beyond either end count as the last before it.
  static func place(of value: Int) -> Int {
    let bounded = UInt32(clamping: value)
    guard bounded >= 8 else { return Int(bounded) }
    let exponent = 31 &- bounded.leadingZeroBitCount
    return (exponent &- 2) &* 8 &+ Int(bounded &>> UInt32(truncatingIfNeeded: exponent &- 3) & 7)
  }

  /// The smallest number that is counted at `place`, from 0 to `count`.
  static func begin(of place: Int) -> Int {
    guard place >= 8 else { return place }
    return (8 + place % 8) << (place / 8 - 1)
  }

  /// The number in the middle.
  static func middle(of place: Int) -> Int { (begin(of: place) + begin(of: place + 1) - 1) / 2 }
}
