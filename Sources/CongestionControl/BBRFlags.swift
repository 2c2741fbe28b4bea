// SPDX-License-Identifier: Apache-2.0

/// The yes and no of a `BBR`.
struct BBRFlags: OptionSet, BitwiseCopyable {
  let rawValue: UInt8

  /// BBR.filled_pipe: the rate has stopped growing once.
  static let pipeIsFull = BBRFlags(rawValue: 1)
  /// BBR.round_start: the last acknowledgment began a round.
  static let beginsRound = BBRFlags(rawValue: 2)
  /// BBR.packet_conservation.
  static let conserves = BBRFlags(rawValue: 4)
  /// BBR.idle_restart: nothing was delivered since sending began again.
  static let restarts = BBRFlags(rawValue: 8)
  /// BBR.probe_rtt_done_stamp is set; BBR.probe_rtt_round_done.
  static let isShort = BBRFlags(rawValue: 16)
  static let roundIsOver = BBRFlags(rawValue: 32)
  /// The pacing rate is from a round trip that was measured.
  static let hasMeasured = BBRFlags(rawValue: 64)
}
