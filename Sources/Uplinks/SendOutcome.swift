// SPDX-License-Identifier: Apache-2.0

/// What became of a batch of frames.
public struct SendOutcome: Equatable, Sendable, BitwiseCopyable {
  /// So many frames from the first on are done with: sent, or dropped with an error that was counted.
  public let accepted: Int
  /// The rest must wait until the descriptor is writable. False means that all were accepted.
  public let blocked: Bool

  public init(accepted: Int, blocked: Bool) {
    self.accepted = accepted
    self.blocked = blocked
  }
}
