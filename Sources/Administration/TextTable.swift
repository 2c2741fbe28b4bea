// SPDX-License-Identifier: Apache-2.0

public import ControlProtocol
import Monitoring

/// Columns as wide as what is in them.
public enum TextTable {
  /// Two spaces between columns, none at the end of a line.
  public static func lines(_ rows: [[String]]) -> [String] {
    let count = rows.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in rows.map { column < $0.count ? $0[column].utf8.count : 0 }.max() ?? 0 }
    return rows.map { row in
      row.enumerated().map { place, text in
        place == row.count - 1 ? text : NumberText.left(text, widths[place] + 2)
      }.joined()
    }
  }

  /// A list of objects: a line for each, a column for each member that is a word or a number, in the order of the first that has it.
  public static func lines(objects: [JSONValue]) -> [String] {
    var names: [String] = []
    for object in objects {
      guard case .object(let members) = object else { continue }
      for member in members where plain(member.value) != nil && !names.contains(member.key) {
        names.append(member.key)
      }
    }
    guard !names.isEmpty else { return [] }
    let rows = objects.map { object in names.map { name in object[name].flatMap(plain) ?? "-" } }
    return lines([names.map { JSONValue.printable($0).uppercased() }] + rows)
  }

  /// An object: a line for each member, those of members indented.
  public static func lines(object: JSONValue, indent: String = "") -> [String] {
    guard case .object(let members) = object else { return [indent + (plain(object) ?? object.text)] }
    return members.flatMap { member -> [String] in
      let name = indent + JSONValue.printable(member.key)
      if let text = plain(member.value) { return ["\(name): \(text)"] }
      switch member.value {
      case .object: return ["\(name):"] + lines(object: member.value, indent: indent + "  ")
      case .array(let values):
        let isPlain = values.allSatisfy { plain($0) != nil }
        guard !isPlain else { return ["\(name): \(values.compactMap(plain).joined(separator: ", "))"] }
        return ["\(name):"] + lines(objects: values).map { "\(indent)  \($0)" }
      case .null, .bool, .integer, .double, .string: return ["\(name): -"]
      }
    }
  }

  /// An event on one line: when, what, of which NIC and in words, then other names and values.
  public static func line(_ object: JSONValue) -> String {
    guard case .object(let members) = object else { return plain(object) ?? object.text }
    let first = ["time", "event", "nic", "text"]
    let words = first.compactMap { name in object[name].flatMap(plain) }
    let rest = members.filter { !first.contains($0.key) }.map { member in
      "\(JSONValue.printable(member.key))=\(plain(member.value) ?? member.value.text)"
    }
    return (words + rest).joined(separator: " ")
  }

  /// Nil: it has parts.
  private static func plain(_ value: JSONValue) -> String? {
    switch value {
    case .null: "-"
    case .bool(let isTrue): isTrue ? "yes" : "no"
    case .integer(let number): "\(number)"
    case .double(let number): "\(number)"
    case .string(let text): JSONValue.printable(text)
    case .array, .object: nil
    }
  }
}
