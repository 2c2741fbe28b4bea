// SPDX-License-Identifier: Apache-2.0

/// Numbers as tables show them.
public enum NumberText {
  /// Milliseconds, three digits behind the point at most, as `ss -i` writes round trips.
  public static func milliseconds(_ microseconds: UInt32) -> String {
    let rest = microseconds % 1000
    guard rest > 0 else { return "\(microseconds / 1000)" }
    var digits = String(rest)
    while digits.utf8.count < 3 { digits = "0" + digits }
    while digits.hasSuffix("0") { digits.removeLast() }
    return "\(microseconds / 1000).\(digits)"
  }

  /// A span in the unit in which it is a short number.
  public static func span(microseconds: Int) -> String {
    if microseconds < 1000 { return "\(microseconds) us" }
    if microseconds < 1_000_000 { return "\(tenths(microseconds, of: 1000)) ms" }
    if microseconds < 600_000_000 { return "\(tenths(microseconds, of: 1_000_000)) s" }
    let minutes = microseconds / 60_000_000
    if minutes < 600 { return "\(minutes) min" }
    return minutes < 14_400 ? "\(minutes / 60) h" : "\(minutes / 1440) d"
  }

  public static func octets(_ count: Int) -> String {
    if count < 1 << 10 { return "\(count) B" }
    if count < 1 << 20 { return "\(tenths(count, of: 1 << 10)) KiB" }
    return count < 1 << 30 ? "\(tenths(count, of: 1 << 20)) MiB" : "\(tenths(count, of: 1 << 30)) GiB"
  }

  /// Bits per second, exactly.
  public static func rate(_ bits: UInt64) -> String {
    let units: [(factor: UInt64, name: String)] = [(1_000_000_000, "Gbit/s"), (1_000_000, "Mbit/s"), (1_000, "kbit/s")]
    let unit = units.first { bits > 0 && bits % $0.factor == 0 } ?? (1, "bit/s")
    return "\(bits / unit.factor) \(unit.name)"
  }

  /// With one digit behind the point, if it is less than ten.
  private static func tenths(_ count: Int, of unit: Int) -> String {
    guard count < 10 * unit else { return "\(count / unit)" }
    return "\(count / unit).\(count % unit * 10 / unit)"
  }

  /// Filled up with spaces on the left, on the right.
  public static func right(_ text: String, _ width: Int) -> String { padding(text, width) + text }
  public static func left(_ text: String, _ width: Int) -> String { text + padding(text, width) }

  private static func padding(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.utf8.count))
  }
}
