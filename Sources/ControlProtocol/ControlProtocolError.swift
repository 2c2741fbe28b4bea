// SPDX-License-Identifier: Apache-2.0

/// What is wrong with a message: one sentence.
public struct ControlProtocolError: Error, Equatable, Sendable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) {
    self.description = description
  }
}
