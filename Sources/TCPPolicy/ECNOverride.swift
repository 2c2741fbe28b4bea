// SPDX-License-Identifier: Apache-2.0

/// What becomes of a connection's ECN (RFC 3168).
public enum ECNOverride: UInt8, BitwiseCopyable, CaseIterable, Sendable {
  /// The ends agree on it, or not.
  case keep
  /// They do not: neither hears of the other's offer.
  case clear
}
