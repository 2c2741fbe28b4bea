// SPDX-License-Identifier: Apache-2.0

public import Arena
internal import CongestionControl
public import Timekeeping
internal import Wire

extension LossRecovery {
  /// By how much a timer may be late before we must have been asleep.
  static let sleepSlack = Interval.milliseconds(20)
  /// How long a timer is put off then: acknowledgments that came meanwhile are read first.
  static let grace = Interval.milliseconds(10)
  /// WCDelAckT of RFC 8985, section 7.2: how long a receiver delays an acknowledgment.
  static let acknowledgmentDelay = Interval.milliseconds(200)
  static let shortestProbe = Interval.milliseconds(2)

  /// The next timer of this side; nil if nothing is outstanding.
  public func nextDeadline(knobs: RecoveryKnobs) -> RecoveryTimer? {
    guard !isEmpty else { return nil }
    let timeout = RecoveryTimer(kind: .retransmission, due: timerBegan + timeout(knobs))
    var soonest = timeout
    if let due = probeDue(knobs: knobs) {
      // Not after the timeout, but in its place: RFC 8985, section 7.2.
      soonest = RecoveryTimer(kind: .probe, due: min(due, timeout.due))
    }
    if flags.contains(.awaitsReordered), reorderingDue < soonest.due {
      soonest = RecoveryTimer(kind: .reordering, due: reorderingDue)
    }
    return soonest
  }

  /// A timer of `nextDeadline` is due. May be called too early, or when it has changed: then nothing happens.
  ///
  /// A timer that comes very late is put off once, by 10 ms: the process had been stopped, and what it did not read meanwhile
  /// is no loss.
  ///
  /// - Parameter hasUnsent: there are data that were never sent, and the receiver's window takes them.
  public mutating func timerExpired(
    hasUnsent: Bool, in pool: TransmissionPool, knobs: RecoveryKnobs, now: Instant
  ) -> RecoveryAction {
    guard let timer = nextDeadline(knobs: knobs), timer.due <= now else { return .nothing }
    if now - timer.due > Self.sleepSlack, !flags.contains(.graced) {
      putOff(timer.kind, knobs: knobs, now: now)
      return .nothing
    }
    switch timer.kind {
    case .reordering: return reorderingExpired(in: pool, knobs: knobs, now: now)
    case .probe:
      flags.insert(hasUnsent ? .wantsNewProbe : .wantsOldProbe)
      restartTimer(now: now)
      return .send
    case .retransmission:
      guard knobs.attempts == .max || backoff < knobs.attempts else { return .gaveUp }
      timedOut(in: pool, knobs: knobs, now: now)
      return .send
    }
  }

  private func timeout(_ knobs: RecoveryKnobs) -> Interval {
    roundTrip.timeout(backoff: backoff, knobs: knobs.congestion)
  }

  /// When a tail loss probe is due, if one is to be sent: RFC 8985, section 7.2.
  private func probeDue(knobs: RecoveryKnobs) -> Instant? {
    guard knobs.style == .full, knobs.usesProbes, flags.contains(.usesSACK), !isRecovering(knobs), sackedOctets == 0,
      lostOctets == 0, backoff == 0, flags.isDisjoint(with: .probing)
    else { return nil }
    return max(timerBegan, lastSent) + probeTimeout
  }

  private var probeTimeout: Interval {
    guard roundTrip.hasSample else { return RTTEstimator.initialTimeout }
    let twice = max(roundTrip.smoothed + roundTrip.smoothed, Self.shortestProbe)
    return outstanding <= congestion.segmentSize ? twice + Self.acknowledgmentDelay : twice
  }

  private mutating func putOff(_ kind: RecoveryTimerKind, knobs: RecoveryKnobs, now: Instant) {
    let began = now + Self.grace - timeout(knobs)
    timerBegan = max(timerBegan, began)
    lastSent = max(lastSent, now + Self.grace - probeTimeout)
    reorderingDue = max(reorderingDue, now + Self.grace)
    flags.insert(.graced)
  }

  private mutating func reorderingExpired(
    in pool: TransmissionPool, knobs: RecoveryKnobs, now: Instant
  ) -> RecoveryAction {
    flags.subtract([.awaitsReordered, .graced])
    var result = AcknowledgmentResult()
    result.hasRetransmitted = true
    let deliverable = outstanding - Int(sackedOctets)
    findLost(result: &result, in: pool, knobs: knobs, now: now)
    guard result.lost > 0 else { return .nothing }
    if !isRecovering(knobs) {
      beginRecovery(deliverable: deliverable, knobs: knobs, now: now)
      adjustAllowance(result, segmentAtLeast: true)
    }
    return .send
  }

  /// RFC 6298, section 5.4 to 5.6, and RFC 5682, section 2.1, step 1.
  private mutating func timedOut(in pool: TransmissionPool, knobs: RecoveryKnobs, now: Instant) {
    let isFirst = congestion.phase == .open && backoff == 0
    let hasReneged = pool[head].flags.contains(.sacked)
    backoff = backoff == .max ? .max : backoff + 1
    flags.subtract(RecoveryFlags.probing.union([.awaitsReordered, .awaitsFirst, .awaitsSecond]))
    if congestion.phase == .open {
      flags.insert(.mayUndo)
      undoFrom = unacknowledged
      undoOctets = 0
    }
    recoveryPoint = next
    duplicates = 0
    guessedOctets = 0
    recoveryAllowance = 0
    var index = head
    while !index.isNone {
      // Who has the first octet that he does not acknowledge has thrown it away, and perhaps more: RFC 2018, section 8.
      if hasReneged { unmarkSacked(index, in: pool) }
      if knobs.style == .full { lose(index, in: pool, now: now) }
      index = pool[index].next
    }
    restartTimer(now: now)
    guard knobs.style == .full else {
      // Only the first record: the receiver may just be slow, and what else is missing SACK and duplicates will tell.
      markLost(head, in: pool)
      recoveryPoint = unacknowledged
      return
    }
    if isFirst, !hasReneged { flags.insert(.awaitsFirst) }
    congestion.timedOut(inFlight: outstanding, now: now)
    paceAnew(knobs)
  }
}
