// SPDX-License-Identifier: Apache-2.0

/// By which rules a congestion window grows and shrinks. The raw values are stored and shown; they never change.
public enum CongestionAlgorithm: UInt8, CaseIterable, Sendable, BitwiseCopyable {
  /// The window never limits: for a leg without a network, as that to the guest.
  case none = 0
  /// RFC 5681 and 6582, with byte counting (RFC 3465).
  case newReno = 1
  /// RFC 9438.
  case cubic = 2

  /// What remains of the window after a loss, in 1/1024: one half by RFC 5681 (4), 0.7 by RFC 9438, section 4.6.
  public var keepFactor: UInt16 {
    switch self {
    case .none, .newReno: 512
    case .cubic: 717
    }
  }
}
