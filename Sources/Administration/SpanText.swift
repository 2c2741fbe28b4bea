// SPDX-License-Identifier: Apache-2.0

/// Spans of time as people write them: a number and s, m, h or d.
public enum SpanText {
  private static let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]

  /// Nil: it is none, or none that is more than a second and less than a year.
  public static func seconds(_ text: String) -> Int? {
    guard let last = text.last, let unit = units[last], let number = Int(text.dropLast()),
      text.utf8.first != UInt8(ascii: "+"), number > 0, number <= 366 * 86_400 / unit
    else { return nil }
    return number * unit
  }
}
