// SPDX-License-Identifier: Apache-2.0

/// A JSON object on one line, members in the order in which they are added.
struct JSONObject {
  private var members: [String] = []

  mutating func add(_ name: String, _ number: some FixedWidthInteger) { members.append("\"\(name)\": \(number)") }

  mutating func add(_ name: String, _ isTrue: Bool) { members.append("\"\(name)\": \(isTrue)") }

  /// Printable ASCII.
  mutating func add(_ name: String, _ text: String) {
    let escaped = text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined()
    members.append("\"\(name)\": \"\(escaped)\"")
  }

  mutating func add(_ name: String, _ object: JSONObject) { members.append("\"\(name)\": \(object.text)") }

  /// Each of them JSON.
  mutating func add(_ name: String, values: [String]) {
    members.append("\"\(name)\": [\(values.joined(separator: ", "))]")
  }

  mutating func addNull(_ name: String) { members.append("\"\(name)\": null") }

  var text: String { "{\(members.joined(separator: ", "))}" }
}
