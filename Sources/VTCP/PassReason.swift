// SPDX-License-Identifier: Apache-2.0

/// Why a connection is never touched: its frames pass byte for byte, for as long as it lives.
public enum PassReason: UInt8, BitwiseCopyable, Sendable {
  /// It may be touched.
  case none
  /// TCP-MD5 or TCP-AO: we can't sign (danger 29).
  case authenticated
  /// Multipath TCP: its mappings are end to end (danger 28).
  case multipath
  /// Accurate ECN: its counters are end to end (danger 23).
  case accurateECN
  /// The options of its SYN could not be read.
  case malformed
  /// IP options or extension headers that a segment of ours would not have.
  case ipOptions
  /// The policy is "off" for it.
  case policy
}
