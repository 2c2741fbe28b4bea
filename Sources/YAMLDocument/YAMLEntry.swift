// SPDX-License-Identifier: Apache-2.0

/// A key of a mapping with its value.
public struct YAMLEntry: Sendable {
  public let key: String
  /// Where the key stands.
  public let mark: YAMLMark
  public let value: YAMLNode

  public init(key: String, mark: YAMLMark, value: YAMLNode) {
    self.key = key
    self.mark = mark
    self.value = value
  }
}
