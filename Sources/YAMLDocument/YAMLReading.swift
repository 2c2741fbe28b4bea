// SPDX-License-Identifier: Apache-2.0

/// What was found in a text.
public struct YAMLReading: Sendable {
  /// Nil: the text can't be read to its end. With mistakes it is what can be told of the rest, so that more mistakes are found at once.
  public let root: YAMLNode?
  /// In the order of the text.
  public let mistakes: [YAMLMistake]
}
