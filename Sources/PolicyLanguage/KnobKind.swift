// SPDX-License-Identifier: Apache-2.0

/// Which values a knob can have.
public enum KnobKind: Sendable {
  /// Octets.
  case size(ClosedRange<Int>, word: KnobWord? = nil)
  /// A plain number.
  case count(ClosedRange<Int>, word: KnobWord? = nil)
  /// Nanoseconds; written with us, ms or s.
  case time(ClosedRange<Int>)
  /// In 1/1024; written as a decimal number.
  case fraction(ClosedRange<Int>, word: KnobWord? = nil)
  /// Bits per second; 0: unlimited.
  case rate(ClosedRange<Int>)
  case choice([KnobChoice])
  case toggle
  /// Any of these words, or none.
  case options([String])
}
