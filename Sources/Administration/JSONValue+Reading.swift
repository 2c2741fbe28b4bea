// SPDX-License-Identifier: Apache-2.0

import ControlProtocol

// What prints takes values as they come, and does without those that are not there.

extension JSONValue {
  /// The number at a path of members; 0: there is none.
  func number(_ path: String...) -> Int { at(path)?.integer ?? 0 }

  /// Nil: there is none, or it is null.
  func optionalNumber(_ path: String...) -> Int? { at(path)?.integer }

  /// The text at a path of members, printable; nothing: there is none.
  func text(_ path: String...) -> String { Self.printable(at(path)?.string ?? "") }

  func values(_ path: String...) -> [JSONValue] { at(path)?.array ?? [] }

  private func at(_ path: [String]) -> JSONValue? {
    var value: JSONValue? = self
    for name in path { value = value?[name] }
    return value
  }

  /// Without what a terminal would obey.
  static func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) ? "?" : $0 }))
  }
}
