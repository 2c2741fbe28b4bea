// SPDX-License-Identifier: Apache-2.0

/// Words of an XML, checked and shown.
enum DomainText {
  /// Octets of the longest word that is shown.
  private static let longestShown = 64

  /// The text in quotation marks, without what a terminal would act on, and not too long of it.
  static func shown(_ text: some StringProtocol) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      guard result.utf8.count < longestShown else { return "\"\(result)...\"" }
      if isPrintable(scalar) { result.unicodeScalars.append(scalar) } else { result += "?" }
    }
    return "\"\(result)\""
  }

  /// Neither a control character nor one that no font shows (formats, surrogates, private use, line and paragraph separators).
  static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
    default: true
    }
  }

  /// Whether it can be a class, a group or a key: 1 to 64 letters, digits, -, _, . and /.
  static func isWord(_ text: some StringProtocol) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { octet in
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
          UInt8(ascii: "/"):
          true
        default: false
        }
      }
  }

  /// Without white space at its ends (XML 1.0, 2.3).
  static func trimmed(_ text: String) -> String {
    let isSpace: (UInt8) -> Bool = { [0x20, 0x09, 0x0a, 0x0d].contains($0) }
    let octets = text.utf8
    guard let first = octets.firstIndex(where: { !isSpace($0) }), let last = octets.lastIndex(where: { !isSpace($0) })
    else { return "" }
    return String(text[first...last])
  }

  /// A number of decimal digits, without a sign.
  static func number(_ text: String) -> Int? {
    guard (1...18).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Int(text)
  }
}
