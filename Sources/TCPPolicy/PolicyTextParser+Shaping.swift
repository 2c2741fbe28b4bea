// SPDX-License-Identifier: Apache-2.0

// The line that says how fast the VM may send and receive.

extension PolicyTextParser {
  private static let rateKeys = ["transmitRate", "receiveRate"]
  private static let rateUnits = [("bit/s", 1), ("kbit/s", 1_000), ("Mbit/s", 1_000_000), ("Gbit/s", 1_000_000_000)]

  mutating func readShape(_ first: PolicyWord, _ words: ArraySlice<PolicyWord>) {
    if let shapeWord { fail(first.error("there is a shape already, on line \(shapeWord.line)")) }
    shapeWord = first
    guard !words.isEmpty else {
      return fail(first.error("a shape says a rate: shape transmitRate=100Mbit/s receiveRate=1Gbit/s"))
    }
    var seen: Set<String> = []
    var (transmit, receive) = (shaping.transmitRate, shaping.receiveRate)
    for word in words {
      guard let (key, value) = pair(word, &seen) else { continue }
      switch key.text {
      case "transmitRate": transmit = rate(key, value) ?? transmit
      case "receiveRate": receive = rate(key, value) ?? receive
      default:
        let meant = NearestWord.of(key.text, in: Self.rateKeys).map { "; did you mean \($0)?" } ?? ""
        fail(key.error("there is no \(key.shown) in a shape\(meant)"))
      }
    }
    shaping = Shaping(transmitRate: transmit, receiveRate: receive)
  }

  /// Bits per second; 0: `none`.
  private mutating func rate(_ key: PolicyWord, _ value: PolicyWord) -> Int? {
    if value.text == "none" { return 0 }
    let units = Self.rateUnits
    guard let rate = Self.amount(value.text, units.map { (name: $0.0, factor: $0.1) }) else {
      let names = units.map(\.0).joined(separator: ", ")
      let digits = value.text.prefix { $0.isASCII && $0.isWholeNumber }
      let unit = digits.isEmpty ? nil : NearestWord.of(value.text[digits.endIndex...], in: units.map(\.0))
      let meant = unit.map { "; did you mean \(digits)\($0)?" } ?? ""
      fail(value.error("\(key.text) is none, or a number with \(names), not \(value.shown)\(meant)"))
      return nil
    }
    guard Shaping.allowed.contains(rate) else {
      fail(value.error("\(key.text) is 64kbit/s to 1000Gbit/s, not \(value.shown)"))
      return nil
    }
    return rate
  }
}
