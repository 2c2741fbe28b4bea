// SPDX-License-Identifier: Apache-2.0

public import Arena
public import CongestionControl
public import Timekeeping
public import Wire

/// One direction of a connection, as far as its sender is concerned: what is in flight, what is lost, what to send again and
/// when, and how much may be sent at all.
///
/// A value without pointers. What was sent and is not acknowledged is a list of `Transmission`s in a pool that is given to each
/// function, always the same: ordered, without gaps or overlaps, from `unacknowledged` to `next`. Records are cut where SACK
/// blocks end, and joined where both parts were SACKed. If there are no records left, less is known, never something wrong:
/// what could not be cut out counts as not received, or is sent in one piece.
///
///     begin(at:)                             when the sender's first octet is known
///     sent(_:)                               new data left, in order; `unsent(from:)` if they did not after all
///     acknowledged(to:blocks:...)            an acknowledgment from the receiver; says what it meant
///     nextToRetransmit(limit:)               what to send again now; then `retransmitted(_:)`
///     allowance                              how much new data, or in all, may be sent now
///     nextDeadline, timerExpired(_:)         timers
///     forget(in:)                            the end: gives the records back
///
/// It does not look at the receiver's window, and not at the `pacer` beyond setting its rate: that is for who sends.
///
/// Losses are found (RFC 6675, 8985) by duplicate acknowledgments and SACK as long as nothing shows that the path reorders, and
/// by time; without SACK as RFC 6582 has it. A recovery sends by RFC 9937. A timeout takes everything for lost, and is taken
/// back if what was sent once only is acknowledged (RFC 5682), as is each loss whose retransmissions were all in vain
/// (RFC 2883). Eifel's detection by timestamps (RFC 3522) is not possible: the timestamps are another's.
public struct LossRecovery: BitwiseCopyable, Sendable {
  /// More is never outstanding: half of what sequence numbers can tell apart.
  public static let longestFlight = 1 << 30

  public var congestion: CongestionControl
  public var roundTrip = RTTEstimator()
  public var pacer = Pacer()

  /// SND.UNA and SND.NXT, as far as this side sent.
  public internal(set) var unacknowledged = SequenceNumber(rawValue: 0)
  public internal(set) var next = SequenceNumber(rawValue: 0)
  var head = RecordIndex.none
  var tail = RecordIndex.none
  /// Octets of records that are SACKed, and that are lost.
  var sackedOctets: UInt32 = 0
  var lostOctets: UInt32 = 0
  /// Without SACK: octets that duplicate acknowledgments say have arrived.
  var guessedOctets: UInt32 = 0
  /// windowEnd of RFC 9406: a round is over when this is acknowledged.
  var roundEnd = SequenceNumber(rawValue: 0)
  /// RecoveryPoint: a recovery, or what a timeout began, ends when this is acknowledged.
  var recoveryPoint = SequenceNumber(rawValue: 0)
  /// RACK.xmit_ts, RACK.end_seq, RACK.rtt, RACK.fack, RACK.dsack_round.
  var rackSent = Instant(nanoseconds: 0)
  var rackRoundTrip = Interval.zero
  var rackEnd = SequenceNumber(rawValue: 0)
  var forward = SequenceNumber(rawValue: 0)
  var duplicateRound = SequenceNumber(rawValue: 0)
  /// TLP.end_seq.
  var probeEnd = SequenceNumber(rawValue: 0)
  /// From when the retransmission timer runs, and when data were sent last.
  var timerBegan = Instant(nanoseconds: 0)
  var lastSent = Instant(nanoseconds: 0)
  var reorderingDue = Instant(nanoseconds: 0)
  /// Where rates are measured.
  var rate = DeliveryRate()
  /// Where `unacknowledged` was at the last reduction, and octets sent again since and not known to be in vain.
  var undoFrom = SequenceNumber(rawValue: 0)
  var undoOctets: UInt32 = 0
  /// What may still be sent for the last acknowledgment of a recovery.
  var recoveryAllowance: UInt32 = 0
  var reduction = ProportionalRateReduction()
  var recordCount: UInt16 = 0
  var flags = RecoveryFlags()
  var duplicates: UInt8 = 0
  /// Timeouts in a row.
  public internal(set) var backoff: UInt8 = 0
  /// RACK.reo_wnd_mult and RACK.reo_wnd_persist.
  var windowMultiplier: UInt8 = 1
  var windowPersistence: UInt8 = 16

  /// A connection begins. `segmentSize`: octets of data in a full segment.
  public init(knobs: RecoveryKnobs, segmentSize: Int, usesSACK: Bool) {
    congestion = CongestionControl(knobs: knobs.congestion, segmentSize: segmentSize)
    if usesSACK { flags.insert(.usesSACK) }
  }

  /// The first octet that is sent, or the next if nothing is outstanding.
  public mutating func begin(at first: SequenceNumber) {
    guard isEmpty else { return }
    unacknowledged = first
    next = first
    roundEnd = first
    recoveryPoint = first
    forward = first
  }

  /// The round trip is known otherwise than by what was sent: from the handshake, or from who sent before. Before anything is sent.
  public mutating func adopt(roundTrip interval: Interval, now: Instant) {
    guard isEmpty, !roundTrip.hasSample else { return }
    roundTrip.sample(interval, now: now)
    // The silence begins now.
    lastSent = now
  }

  /// Policy changed. What is being recovered is begun anew by the new knobs: what the old ones have counted for it, a number of octets that
  /// may go for each that arrives, might let nothing go for ever.
  public mutating func changed(knobs: RecoveryKnobs) {
    let before = congestion.algorithm
    congestion.changed(knobs: knobs.congestion)
    if congestion.algorithm != before {
      rate = DeliveryRate()
      // What is in flight may have marks that count from elsewhere.
      if congestion.isRateBased, !isEmpty { rate.doubt(until: next) }
    }
    congestion.recoveryEnded()
    recoveryAllowance = 0
    guessedOctets = 0
    flags.subtract(
      RecoveryFlags.probing.union([.awaitsReordered, .awaitsFirst, .awaitsSecond, .timeoutInDoubt, .mayUndo]))
    paceAnew(knobs)
  }

  /// Nothing is outstanding.
  public var isEmpty: Bool { head.isNone }

  /// FlightSize of RFC 5681: octets that were sent and are not acknowledged cumulatively.
  public var outstanding: Int { next - unacknowledged }

  /// Octets that are thought to be in the network: pipe of RFC 6675.
  public var inFlight: Int {
    max(outstanding - Int(sackedOctets) - Int(lostOctets) - Int(guessedOctets), 0)
  }

  /// Octets that are lost and not sent again.
  public var lost: Int { Int(lostOctets) }

  /// Whether something is to be sent again, as soon as there is an allowance for it; else `nextToRetransmit` has nothing.
  public var hasToRetransmit: Bool { lostOctets > 0 || flags.contains(.wantsOldProbe) }

  /// Octets that congestion control lets go now, new or again. `CongestionControl.unlimited` if it does not limit. May be less
  /// than a segment: who sends should wait for a whole one then, unless nothing is in flight.
  public var allowance: Int {
    guard congestion.algorithm != .none else { return CongestionControl.unlimited }
    let probe = flags.isDisjoint(with: [.wantsNewProbe, .wantsOldProbe]) ? 0 : congestion.segmentSize
    guard congestion.phase != .recovery || congestion.isRateBased else { return max(Int(recoveryAllowance), probe) }
    return max(congestion.window - inFlight, probe)
  }

  /// The receiver reports a mark: ECE, RFC 3168. The window is reduced once for what is in flight. Returns whether it was: then
  /// CWR is due on the next new data.
  public mutating func congestionExperienced(now: Instant) -> Bool {
    guard congestion.phase == .open, !isEmpty, congestion.algorithm != .none else { return false }
    congestion.congestionExperienced(now: now)
    recoveryPoint = next
    return true
  }

  /// How often the first of what is outstanding was sent again; stays at 255.
  public func firstRetransmissions(in pool: TransmissionPool) -> UInt8 {
    isEmpty ? 0 : pool[head].retransmissions
  }

  /// The connection is over, or not accelerated any more: the records go back, nothing is outstanding, no timer runs.
  public mutating func forget(in pool: TransmissionPool) {
    while !head.isNone { remove(head, in: pool) }
    unacknowledged = next
    recoveryPoint = next
    forward = next
    guessedOctets = 0
    flags.subtract(RecoveryFlags.probing.union(.timeoutInDoubt).union([.awaitsReordered, .mayUndo]))
    duplicates = 0
    backoff = 0
    if congestion.phase != .open { congestion.recoveryEnded() }
  }
}
