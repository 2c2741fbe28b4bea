// SPDX-License-Identifier: Apache-2.0

/// A place in a text: lines and columns from 1 on, columns in characters.
public struct XMLPlace: Equatable, Sendable {
  public let line: Int
  public let column: Int

  public init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }
}
