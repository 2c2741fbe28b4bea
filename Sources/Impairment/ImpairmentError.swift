// SPDX-License-Identifier: Apache-2.0

/// A sentence about what is wrong with a description of a link.
public struct ImpairmentError: Error, Equatable, Sendable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) {
    self.description = description
  }
}
