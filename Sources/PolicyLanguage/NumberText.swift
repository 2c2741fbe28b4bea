// SPDX-License-Identifier: Apache-2.0

/// Numbers as people write them.
enum NumberText {
  static let sizeUnits = [("", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)]
  static let timeUnits = [("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)]
  static let rateUnits = [("bit/s", 1), ("kbit/s", 1_000), ("Mbit/s", 1_000_000), ("Gbit/s", 1_000_000_000)]

  /// Up to ten digits and nothing else.
  static func decimal(_ text: some StringProtocol) -> Int? {
    guard (1...10).contains(text.utf8.count), text.utf8.allSatisfy(isDigit) else { return nil }
    return Int(text)
  }

  /// A number with one of the units; what is beyond all numbers is the greatest of them.
  static func amount(_ text: String, _ units: [(String, Int)]) -> Int? {
    let (digits, unit) = split(text)
    guard let number = decimal(digits), let factor = units.first(where: { $0.0 == unit })?.1 else { return nil }
    let product = number.multipliedReportingOverflow(by: factor)
    return product.overflow ? .max : product.partialValue
  }

  /// The digits that it begins with, and what follows.
  static func split(_ text: String) -> (digits: Substring, rest: Substring) {
    let end = text.utf8.firstIndex { !isDigit($0) } ?? text.endIndex
    return (text[..<end], text[end...])
  }

  /// A decimal number with six places at the most, in 1/1024, rounded.
  static func fraction(_ text: String) -> Int? {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, first.utf8.count <= 6, let whole = decimal(first) else { return nil }
    guard parts.count == 2 else { return whole * 1024 }
    guard (1...6).contains(parts[1].utf8.count), let places = decimal(parts[1]) else { return nil }
    let scale = (0..<parts[1].utf8.count).reduce(1) { product, _ in product * 10 }
    return whole * 1024 + (places * 1024 + scale / 2) / scale
  }

  /// A range as 5201-5210, or a number.
  static func range(_ text: some StringProtocol) -> ClosedRange<Int>? {
    let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first.flatMap({ decimal($0) }), let last = parts.last.flatMap({ decimal($0) }),
      first <= last
    else { return nil }
    return first...last
  }

  /// With the largest unit that it is a multiple of.
  static func shown(_ number: Int, _ units: [(String, Int)], gap: String = "") -> String {
    guard let unit = units.last(where: { number != 0 && number % $0.1 == 0 }) ?? units.first else { return "\(number)" }
    return unit.0.isEmpty ? "\(number)" : "\(number / unit.1)\(gap)\(unit.0)"
  }

  /// 1/1024 as a decimal number of three places at the most.
  static func shownFraction(_ number: Int) -> String {
    let thousandths = (number * 1000 + 512) / 1024
    var places = String(1000 + thousandths % 1000).dropFirst()
    while places.last == "0" { places.removeLast() }
    return places.isEmpty ? "\(thousandths / 1000)" : "\(thousandths / 1000).\(places)"
  }

  private static func isDigit(_ octet: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet) }
}
