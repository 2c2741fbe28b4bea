// SPDX-License-Identifier: Apache-2.0

/// What is wrong with a text, where, and how to mend it.
public struct YAMLMistake: Error, Equatable, Sendable, CustomStringConvertible {
  public let mark: YAMLMark
  /// Printable ASCII on one line.
  public let sentence: String

  public init(_ mark: YAMLMark, _ sentence: String) {
    self.mark = mark
    self.sentence = sentence
  }

  public var description: String { "\(mark): \(sentence)" }
}
