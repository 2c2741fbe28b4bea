// SPDX-License-Identifier: Apache-2.0

/// Why an uplink cannot be had: one sentence for the person who started the program.
public struct UplinkError: Error, Equatable, Sendable, CustomStringConvertible {
  public let message: String

  public init(_ message: String) {
    self.message = message
  }

  public var description: String { message }
}
