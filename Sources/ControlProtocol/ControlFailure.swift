// SPDX-License-Identifier: Apache-2.0

/// What a person is told of a request that failed: `{"error": "one sentence", "mistakes": ["FILE:LINE:COLUMN: ...", ...]}`.
public struct ControlFailure: Error, Equatable, Sendable, CustomStringConvertible {
  /// One sentence: what, where, how to mend it.
  public let sentence: String
  /// Each mistake in what was handed over.
  public let mistakes: [String]

  public init(_ sentence: String, mistakes: [String] = []) {
    self.sentence = sentence
    self.mistakes = mistakes
  }

  /// Nil: it is no such object.
  init?(_ value: JSONValue) {
    guard case .string(let sentence)? = value["error"] else { return nil }
    var mistakes: [String] = []
    if case .array(let values)? = value["mistakes"] { mistakes = values.compactMap(\.string) }
    self.init(sentence, mistakes: mistakes)
  }

  public var json: JSONValue {
    var members: [JSONValue.Member] = [.init("error", .string(sentence))]
    if !mistakes.isEmpty { members.append(.init("mistakes", .array(mistakes.map { .string($0) }))) }
    return .object(members)
  }

  /// The sentence, and each mistake on a line of its own.
  public var description: String { ([sentence] + mistakes).joined(separator: "\n") }
}
