// SPDX-License-Identifier: Apache-2.0

/// Something wrong in a domain's XML: where, and a sentence.
public struct DomainMistake: Error, Equatable, Sendable, CustomStringConvertible {
  /// From 1 on; 0 where it is about the whole.
  public let line: Int
  /// In characters, from 1 on: where the element begins, or where the text can't be read on.
  public let column: Int
  /// What is wrong and how to mend it, in printable characters and without a dot at the end.
  public let text: String

  public init(line: Int, column: Int, text: String) {
    self.line = line
    self.column = column
    self.text = text
  }

  init(_ place: XMLPlace, _ text: String) {
    self.init(line: place.line, column: place.column, text: text)
  }

  /// `LINE:COLUMN: text`.
  public var description: String { line == 0 ? text : "\(line):\(column): \(text)" }
}
