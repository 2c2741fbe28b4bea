// SPDX-License-Identifier: Apache-2.0

/// An invariant that does not hold, in words.
public struct Broken: Error, Equatable, CustomStringConvertible, Sendable {
  public let description: String

  public init(_ description: String) {
    self.description = description
  }
}
