// SPDX-License-Identifier: Apache-2.0

/// How far a connection is, as seen from between (RFC 9293 §3.3.2).
public enum FlowPhase: UInt8, BitwiseCopyable, Sendable {
  /// One SYN was seen.
  case synSeen
  /// The SYN-ACK was seen, or the other SYN of a simultaneous open.
  case synAckSeen
  /// Both SYNs are acknowledged.
  case established
}
