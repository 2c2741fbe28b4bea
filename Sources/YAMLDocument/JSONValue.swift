// SPDX-License-Identifier: Apache-2.0

/// A value to be written as JSON (RFC 8259). It is read by `YAMLReader`.
public enum JSONValue: Equatable, Sendable, CustomStringConvertible {
  case null
  case bool(Bool)
  case int(Int)
  /// A number as it is to be written; it is ours to see that it is one.
  case number(String)
  case string(String)
  case array([JSONValue])
  /// In this order.
  case object([JSONMember])

  /// On one line.
  public var description: String {
    var text = ""
    write(&text, indent: nil)
    return text
  }

  /// On many lines, for people, with a newline at the end.
  public var pretty: String {
    var text = ""
    write(&text, indent: 0)
    return text + "\n"
  }

  /// - Parameter indent: how deep it stands; nil: all on one line.
  private func write(_ text: inout String, indent: Int?) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .int(let value): text += "\(value)"
    case .number(let value): text += value
    case .string(let value): Self.quote(value, &text)
    case .array(let values):
      Self.block("[", "]", values, &text, indent) { $0.write(&$1, indent: $2) }
    case .object(let members):
      Self.block("{", "}", members, &text, indent) { member, text, indent in
        Self.quote(member.name, &text)
        text += ": "
        member.value.write(&text, indent: indent)
      }
    }
  }

  private static func block<Part>(
    _ open: String, _ close: String, _ parts: [Part], _ text: inout String, _ indent: Int?,
    _ write: (Part, inout String, Int?) -> Void
  ) {
    text += open
    for (place, part) in parts.enumerated() {
      if place > 0 { text += indent == nil ? ", " : "," }
      if let indent { text += "\n" + String(repeating: "  ", count: indent + 1) }
      write(part, &text, indent.map { $0 + 1 })
    }
    if let indent, !parts.isEmpty { text += "\n" + String(repeating: "  ", count: indent) }
    text += close
  }

  /// RFC 8259, section 7.
  private static func quote(_ value: String, _ text: inout String) {
    text += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\r": text += "\\r"
      case "\u{0}"..."\u{1f}", "\u{7f}":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
