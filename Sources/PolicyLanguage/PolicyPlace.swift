// SPDX-License-Identifier: Apache-2.0

public import YAMLDocument

/// Where something of a policy is written.
public struct PolicyPlace: Hashable, Sendable, CustomStringConvertible {
  public let file: String
  public let mark: YAMLMark

  public init(_ file: String, _ mark: YAMLMark) {
    self.file = file
    self.mark = mark
  }

  /// `FILE:LINE`, for people who look for it.
  public var line: String { "\(file):\(mark.line)" }

  /// `FILE:LINE:COLUMN`.
  public var description: String { "\(file):\(mark)" }
}
