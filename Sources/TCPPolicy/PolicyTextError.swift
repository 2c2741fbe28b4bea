// SPDX-License-Identifier: Apache-2.0

/// What is wrong with the text of a policy, where, and how to mend it.
public struct PolicyTextError: Error, Equatable, Sendable, CustomStringConvertible {
  /// From 1.
  public let line: Int
  /// In octets, from 1.
  public let column: Int
  public let message: String

  public var description: String { "\(line):\(column): \(message)" }
}
