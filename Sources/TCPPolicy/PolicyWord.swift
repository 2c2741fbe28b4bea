// SPDX-License-Identifier: Apache-2.0

/// A word of the text of a policy, and where it stands.
struct PolicyWord {
  let text: Substring
  let line: Int
  /// In octets, from 1.
  let column: Int

  /// The words of a line; what follows a # is none.
  static func words(_ line: Substring, number: Int) -> [PolicyWord] {
    let octets = line.utf8.prefix { $0 != UInt8(ascii: "#") }
    return octets.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
      .map { word in
        PolicyWord(
          text: Substring(word), line: number,
          column: line.utf8.distance(from: line.utf8.startIndex, to: word.startIndex) + 1)
      }
  }

  /// What stands before the first = sign, and behind it; nil: there is none.
  var pair: (key: PolicyWord, value: PolicyWord)? {
    guard let sign = text.utf8.firstIndex(of: UInt8(ascii: "=")) else { return nil }
    let key = text[..<sign]
    return (
      PolicyWord(text: key, line: line, column: column),
      PolicyWord(text: text[text.utf8.index(after: sign)...], line: line, column: column + key.utf8.count + 1)
    )
  }

  func error(_ message: String) -> PolicyTextError { PolicyTextError(line: line, column: column, message: message) }

  /// Printable ASCII of it, at most so much that a message stays one line.
  var shown: String {
    let octets = text.utf8.prefix(40).map { (0x20..<0x7f).contains($0) ? $0 : UInt8(ascii: "?") }
    return "'" + String(decoding: octets, as: UTF8.self) + (text.utf8.count > 40 ? "..." : "") + "'"
  }
}
