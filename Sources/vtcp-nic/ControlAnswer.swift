// SPDX-License-Identifier: Apache-2.0

/// What comes back from the control socket: `ok` or `error`, and lines for people.
struct ControlAnswer {
  let isGood: Bool
  let lines: [Substring]

  /// Nil: it is not whole.
  init?(parsing text: String) {
    guard text.utf8.last == UInt8(ascii: "\n") else { return nil }
    let all = text.split(separator: "\n")
    guard let first = all.first, first == "ok" || first == "error" else { return nil }
    isGood = first == "ok"
    lines = Array(all.dropFirst())
  }
}
