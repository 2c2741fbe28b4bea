// SPDX-License-Identifier: Apache-2.0

public import Timekeeping
internal import Wire

/// What an acknowledgment said that was not known. Octets.
public struct AcknowledgmentResult: BitwiseCopyable, Sendable {
  /// By which the cumulative acknowledgment moved on: memory that is free now.
  public internal(set) var acknowledged = 0
  /// Newly acknowledged by SACK, beyond it.
  public internal(set) var sacked = 0
  /// Delivered for the first time, as far as can be told: `acknowledged` less what had been SACKed, and `sacked`.
  public internal(set) var delivered = 0
  /// Newly taken for lost.
  public internal(set) var lost = 0
  /// A round trip that Karn's algorithm admits. It is in the estimator already.
  public internal(set) var roundTrip: Interval?
  /// The number lies outside what was sent and not acknowledged. Nothing was changed.
  public internal(set) var isIgnored = false
  /// It counted as a duplicate.
  public internal(set) var isDuplicate = false
  /// The receiver got something twice (RFC 2883).
  public internal(set) var sawDSACK = false
  /// A loss or timeout turned out to be none; the congestion window is as before.
  public internal(set) var isSpurious = false
  public internal(set) var beganRecovery = false
  public internal(set) var endedRecovery = false

  // What the parts of `LossRecovery` tell each other.
  /// Something that was delivered had been sent once only, below the recovery point.
  var hasOriginal = false
  /// Something that was delivered had been sent again.
  var hasRetransmitted = false
  /// Something acknowledged cumulatively, for the first time, had been sent again.
  var acknowledgedRetransmitted = false
  /// When the latest of what was sent once only was sent.
  var latestOriginal: Instant?
  /// Whether the latest was acknowledged by SACK.
  var latestIsSacked = false
  /// Where rates are measured.
  var newest: NewestDelivery?
  /// RACK.fack as it was before: the parts of one acknowledgment come in no order.
  var forward = SequenceNumber(rawValue: 0)
}
