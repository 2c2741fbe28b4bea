// SPDX-License-Identifier: Apache-2.0

/// A place in a text.
public struct YAMLMark: Comparable, Hashable, Sendable, CustomStringConvertible {
  /// From 1.
  public let line: Int
  /// In characters (Unicode scalars), from 1.
  public let column: Int

  public init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }

  public static func < (left: YAMLMark, right: YAMLMark) -> Bool {
    (left.line, left.column) < (right.line, right.column)
  }

  public var description: String { "\(line):\(column)" }
}
