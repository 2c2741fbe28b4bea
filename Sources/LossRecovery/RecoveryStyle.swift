// SPDX-License-Identifier: Apache-2.0

/// How losses are found and answered.
public enum RecoveryStyle: UInt8, BitwiseCopyable, Sendable {
  /// All there is: duplicate acknowledgments, SACK, RACK, tail loss probes, timeouts with F-RTO; each loss tells the
  /// congestion control.
  case full = 0
  /// A timer that doubles, and duplicate acknowledgments; the congestion control hears of no loss. For a leg without a network
  /// (US 9,385,959, the algorithm of FIG. 11 and 12).
  case doublingTimer = 1
}
