// SPDX-License-Identifier: Apache-2.0

/// The yes and no of a `BBR3`.
struct BBR3Flags: OptionSet, BitwiseCopyable {
  let rawValue: UInt16

  /// BBR.full_bw_reached: the rate has stopped growing once. BBR.full_bw_now: it has in this probe.
  static let fullRateReached = BBR3Flags(rawValue: 1)
  static let fullRateNow = BBR3Flags(rawValue: 2)
  /// BBR.round_start: the last acknowledgment began a round.
  static let beginsRound = BBR3Flags(rawValue: 4)
  /// BBR.loss_round_start: likewise of the rounds by which losses are counted.
  static let beginsLossRound = BBR3Flags(rawValue: 8)
  /// BBR.is_loss_in_round.
  static let lostInRound = BBR3Flags(rawValue: 16)
  /// BBR.is_bw_probe_sample: what is acknowledged or lost was sent in a probe for bandwidth, and that has not gone too high yet.
  static let isProbeSample = BBR3Flags(rawValue: 32)
  /// BBR.prev_probe_too_high, BBR.prev_probe_precautionary.
  static let probeWasTooHigh = BBR3Flags(rawValue: 64)
  static let probeWasPrecautionary = BBR3Flags(rawValue: 128)
  /// BBR.idle_restart: nothing was delivered since sending began again.
  static let restarts = BBR3Flags(rawValue: 256)
  /// BBR.probe_rtt_expired.
  static let roundTripIsOld = BBR3Flags(rawValue: 512)
  /// BBR.probe_rtt_done_stamp is set; BBR.probe_rtt_round_done.
  static let isShort = BBR3Flags(rawValue: 1024)
  static let roundIsOver = BBR3Flags(rawValue: 2048)
  /// The window was full in this round, and in the one before: C.is_cwnd_limited.
  static let isFull = BBR3Flags(rawValue: 4096)
  static let wasFull = BBR3Flags(rawValue: 8192)
  /// The pacing rate is from a round trip that was measured.
  static let hasMeasured = BBR3Flags(rawValue: 16384)
  /// What was before the losses that are being recovered is saved.
  static let isSaved = BBR3Flags(rawValue: 32768)
}
