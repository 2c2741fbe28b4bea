// SPDX-License-Identifier: Apache-2.0

/// A part of a connection's life, and what applies in it.
public struct PolicyPhase: BitwiseCopyable, Equatable, Sendable {
  public let configuration: PolicyName
  /// Nil: with the connection.
  public let end: PhaseEnd?

  public init(_ configuration: PolicyName, until end: PhaseEnd? = nil) {
    self.configuration = configuration
    self.end = end
  }
}
