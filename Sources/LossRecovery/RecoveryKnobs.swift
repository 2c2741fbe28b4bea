// SPDX-License-Identifier: Apache-2.0

public import CongestionControl

/// What policy may choose about a side's recovery. Any value is safe.
public struct RecoveryKnobs: BitwiseCopyable, Equatable, Sendable {
  public var congestion: CongestionKnobs
  public var style: RecoveryStyle
  /// Timeouts in a row after which `timerExpired` says `gaveUp`. 255: never.
  public var attempts: UInt8
  /// Records that one side may have in the pool; at least 4. Who has more to say gets coarser ones.
  public var recordLimit: UInt16
  /// Records of the pool that are only for sides that have none: as many as there may be sides, and none of them ever waits for
  /// another one's acknowledgments.
  public var reservedRecords: Int
  /// Whether what is sent is ours to send, and so a lost tail ours to probe for (RFC 8985, section 7).
  public var usesProbes: Bool

  public init() {
    congestion = CongestionKnobs()
    style = .full
    attempts = 15
    recordLimit = 256
    reservedRecords = 0
    usesProbes = true
  }
}
