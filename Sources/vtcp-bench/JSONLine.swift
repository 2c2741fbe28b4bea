// SPDX-License-Identifier: Apache-2.0

import Polling

/// A result: one object on one line of standard output.
struct JSONLine {
  private var members: [String] = []

  mutating func add(_ name: String, _ value: some FixedWidthInteger) { members.append("\"\(name)\": \(value)") }

  mutating func add(_ name: String, _ value: Double) { members.append("\"\(name)\": \(value)") }

  /// `text` needs no escapes.
  mutating func add(_ name: String, _ text: String) { members.append("\"\(name)\": \"\(text)\"") }

  func print() { Log.output("{\(members.joined(separator: ", "))}\n") }
}
