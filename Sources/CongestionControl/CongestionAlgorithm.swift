// SPDX-License-Identifier: Apache-2.0

/// By which rules a congestion window grows and shrinks. The raw values are stored and shown; they never change.
public enum CongestionAlgorithm: UInt8, CaseIterable, Sendable, BitwiseCopyable {
  /// The window never limits: for a leg without a network, as that to the guest.
  case none = 0
  /// RFC 5681 and 6582, with byte counting (RFC 3465).
  case newReno = 1
  /// RFC 9438.
  case cubic = 2
  /// Binary increase.
  case bic = 3
  /// RFC 3649.
  case highSpeed = 4
  case scalable = 5
  /// Westwood+.
  case westwood = 6
  case vegas = 7
  case illinois = 8
  case hTCP = 9
  /// RFC 8257.
  case dctcp = 10
  /// BBR, version 1.
  case bbr = 11
  /// BBR, version 3.
  case bbr3 = 12
}
