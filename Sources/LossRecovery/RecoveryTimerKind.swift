// SPDX-License-Identifier: Apache-2.0

/// What a side waits for.
public enum RecoveryTimerKind: UInt8, BitwiseCopyable, Sendable {
  /// The retransmission timeout (RFC 6298).
  case retransmission = 0
  /// The tail loss probe (RFC 8985, section 7).
  case probe = 1
  /// Segments that others overtook may still come (RFC 8985, section 6.2, step 5).
  case reordering = 2
}
