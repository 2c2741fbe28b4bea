// SPDX-License-Identifier: Apache-2.0

/// What a node of a YAML text is. Which type a scalar is of is for its reader to say: "on" is a word here, and "10" is two digits.
public enum YAMLContent: Sendable {
  /// - Parameter isPlain: it has no quotes, and is no block: it may be a number, or nothing.
  case scalar(String, isPlain: Bool)
  case sequence([YAMLNode])
  /// In the order of the text; no key stands twice.
  case mapping([YAMLEntry])
}
