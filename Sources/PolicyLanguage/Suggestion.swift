// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
import YAMLDocument

/// How sentences quote what somebody wrote, and guess what was meant.
enum Suggestion {
  /// In quotes, printable, and not too long.
  static func quoted(_ text: some StringProtocol) -> String { "'\(YAMLReader.shown(String(text)))'" }

  /// ` (did you mean X?)`, or nothing.
  static func meant(_ text: some StringProtocol, _ known: some Sequence<String>) -> String {
    nearest(String(text), Array(known)).map { " (did you mean \($0)?)" } ?? ""
  }

  /// The word that was meant: the same in other case, or one that is near. Near to a short word is much, so one end has to be the same.
  static func nearest(_ text: String, _ known: [String]) -> String? {
    let lowercased = text.lowercased()
    if let same = known.first(where: { $0.lowercased() == lowercased }) { return same == text ? nil : same }
    guard text.utf8.count >= 2, let found = NearestWord.of(text, in: known)?.lowercased() else { return nil }
    guard found.first == lowercased.first || found.last == lowercased.last else { return nil }
    return known.first { $0.lowercased() == found }
  }

  /// `a, b or c`.
  static func list(_ words: [String]) -> String {
    guard words.count > 1, let last = words.last else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " or " + last
  }
}
