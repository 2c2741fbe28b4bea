// SPDX-License-Identifier: Apache-2.0

/// One timer of a `TimerWheel`: 16 bytes; all zero is one that is not in a slot.
struct TimerEntry: BitwiseCopyable, Sendable {
  /// The tick at which it is due (48 bits), and above which slot it is in, counted from 1; 0: in none.
  private var word: UInt64 = 0
  /// Its neighbours in the slot.
  var next = RecordIndex.none
  var previous = RecordIndex.none

  /// The tick of a timer that was cancelled, or is due in 292 years.
  static let never: UInt64 = 1 << 48 - 1

  var tick: UInt64 { word & Self.never }

  /// -1: none.
  var slot: Int { Int(word &>> 48) &- 1 }

  var isQueued: Bool { word &>> 48 != 0 }

  mutating func set(tick: UInt64, slot: Int) {
    word = UInt64(truncatingIfNeeded: slot &+ 1) &<< 48 | tick
  }

  mutating func set(tick: UInt64) {
    word = word & ~Self.never | tick
  }
}
