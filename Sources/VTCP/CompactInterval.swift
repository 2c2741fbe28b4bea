// SPDX-License-Identifier: Apache-2.0

import Timekeeping

/// A span of time in 2 bytes: microseconds, rounded down to 11 significant bits. Zero: not known. The longest is a month.
struct CompactInterval: BitwiseCopyable, Comparable, Sendable {
  /// The significand in the low 11 bits; above it how often it is doubled.
  private let rawValue: UInt16

  static let unknown = CompactInterval(rawValue: 0)

  private init(rawValue: UInt16) { self.rawValue = rawValue }

  /// What is less than a microsecond, or negative, counts as a microsecond: a clock that stood still.
  init(_ interval: Interval) {
    var significand = max(interval.nanoseconds / 1000, 1)
    var doublings: UInt16 = 0
    while significand >= 1 &<< 11, doublings < 30 {
      significand &>>= 1
      doublings &+= 1
    }
    rawValue = doublings &<< 11 | UInt16(truncatingIfNeeded: min(significand, 1 &<< 11 &- 1))
  }

  static func < (left: CompactInterval, right: CompactInterval) -> Bool { left.interval < right.interval }

  var interval: Interval { .microseconds(Int64(rawValue & 0x7ff) &<< Int64(rawValue &>> 11)) }
}
