// SPDX-License-Identifier: Apache-2.0

/// Times as people and programs write them: 2026-11-23T08:15:30Z (RFC 3339).
public enum TimeText {
  private static let secondsOfADay: Int64 = 86_400

  /// - Parameter nanoseconds: since 1970, without leap seconds.
  public static func utc(_ nanoseconds: Int64) -> String {
    let seconds = Self.floorDivide(nanoseconds, 1_000_000_000)
    let days = Self.floorDivide(seconds, secondsOfADay)
    let rest = seconds - days * secondsOfADay
    let (year, month, day) = date(days)
    return
      "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(pad(rest / 3600, 2)):\(pad(rest / 60 % 60, 2)):\(pad(rest % 60, 2))Z"
  }

  /// The date of a day, counted from 1970-01-01: by eras of 400 years that begin in March, so that leap days come last.
  private static func date(_ days: Int64) -> (Int64, Int64, Int64) {
    let shifted = days + 719_468
    let era = floorDivide(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let year = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
    let month = (5 * dayOfYear + 2) / 153
    let isNextYear = month >= 10
    return (
      year + era * 400 + (isNextYear ? 1 : 0), isNextYear ? month - 9 : month + 3, dayOfYear - (153 * month + 2) / 5 + 1
    )
  }

  private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
  }

  private static func pad(_ value: Int64, _ width: Int) -> String {
    let digits = "\(value)"
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}
