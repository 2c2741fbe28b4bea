// SPDX-License-Identifier: Apache-2.0

/// Lines of columns.
enum Table {
  static func row(_ title: String, _ columns: [String]) -> String {
    pad(title, 48) + columns.map { String(repeating: " ", count: max(1, 13 - $0.count)) + $0 }.joined() + "\n"
  }

  /// Two digits behind the point; a whole number without.
  static func decimal(_ value: Double) -> String {
    let hundredths = Int(value * 100 + (value < 0 ? -0.5 : 0.5))
    guard hundredths % 100 != 0 else { return "\(hundredths / 100)" }
    let fraction = abs(hundredths) % 100
    return "\(hundredths < 0 ? "-" : "")\(abs(hundredths) / 100).\(fraction < 10 ? "0" : "")\(fraction)"
  }

  private static func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
