// SPDX-License-Identifier: Apache-2.0

/// A part of a YAML text, and where it begins.
public struct YAMLNode: Sendable {
  public let mark: YAMLMark
  public let content: YAMLContent

  public init(mark: YAMLMark, content: YAMLContent) {
    self.mark = mark
    self.content = content
  }

  /// Of a scalar that is something.
  public var text: String? {
    guard case .scalar(let text, _) = content, !isNull else { return nil }
    return text
  }

  /// Nothing stands there, or a word for nothing.
  public var isNull: Bool {
    guard case .scalar(let text, isPlain: true) = content else { return false }
    return text.isEmpty || text == "~" || text == "null"
  }

  /// Of a sequence.
  public var elements: [YAMLNode]? {
    guard case .sequence(let nodes) = content else { return nil }
    return nodes
  }

  /// Of a mapping.
  public var entries: [YAMLEntry]? {
    guard case .mapping(let entries) = content else { return nil }
    return entries
  }

  /// The value of a key of a mapping. It looks at one key after the other: for what is asked for seldom.
  public subscript(key: String) -> YAMLNode? { entries?.first { $0.key == key }?.value }

  /// What it is, for a sentence that says what it should be.
  public var kind: String {
    switch content {
    case .scalar: isNull ? "nothing" : "a value"
    case .sequence: "a list"
    case .mapping: "a mapping"
    }
  }
}
