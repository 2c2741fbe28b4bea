// SPDX-License-Identifier: Apache-2.0

/// What becomes of a connection's ECN (RFC 3168).
public enum ECNOverride: UInt8, BitwiseCopyable, CaseIterable, Sendable {
  /// The ends agree on it, or not.
  case keep
  /// They do not: neither hears of the other's offer.
  case clear
  /// The network's end is offered it in the name of a guest that does not, and congestion control of the module's answers the marks. Nothing
  /// in mode `off` or without congestion control, where nobody would.
  case offer
}
