// SPDX-License-Identifier: Apache-2.0

internal import Arena
internal import CongestionControl
internal import Timekeeping
internal import Wire

/// Which of what is outstanding is lost.
extension LossRecovery {
  /// Counts duplicates: with SACK, acknowledgments with news of it (RFC 6675, section 2); without, as RFC 5681, section 2 says,
  /// and each tells of a segment that has arrived.
  ///
  /// Of no more segments than may have: else a receiver that sends more of them than there are segments in flight would get, for each, one more
  /// (RFC 5681, section 3.2, "Note").
  mutating func countDuplicates(
    isBare: Bool, advance: Int, result: inout AcknowledgmentResult, knobs: RecoveryKnobs, in pool: TransmissionPool,
    now: Instant
  ) {
    guard advance == 0, !isEmpty else { return }
    if flags.contains(.usesSACK) {
      result.isDuplicate = result.sacked > 0
    } else if isBare {
      result.isDuplicate = true
      let arrived = outstanding - sentLately(in: pool, now: now)
      let room = arrived - Int(lostOctets) - Int(guessedOctets) - congestion.segmentSize
      let guess = max(min(congestion.segmentSize, room), 0)
      guessedOctets &+= UInt32(truncatingIfNeeded: guess)
      result.delivered += guess
    }
    if result.isDuplicate, duplicates < .max { duplicates += 1 }
  }

  /// Octets at the end that were sent less than the shortest round trip ago: nobody can have answered to them.
  private func sentLately(in pool: TransmissionPool, now: Instant) -> Int {
    guard roundTrip.hasSample else { return 0 }
    var octets = 0
    var index = tail
    while !index.isNone, now - pool[index].sent < roundTrip.minimum {
      octets += pool[index].range.count
      index = pool[index].previous
    }
    return octets
  }

  /// Without SACK, what duplicates told of is acknowledged now, all but the hole before it.
  mutating func forgetGuesses(result: inout AcknowledgmentResult) {
    guard guessedOctets > 0 else { return }
    let guessed = Int(guessedOctets)
    result.delivered = max(result.acknowledged - guessed, min(congestion.segmentSize, result.acknowledged))
    let left = max(guessed - max(result.acknowledged - congestion.segmentSize, 0), 0)
    guessedOctets = UInt32(truncatingIfNeeded: min(left, max(outstanding - congestion.segmentSize, 0)))
  }

  /// What the acknowledgment means for the state of the recovery.
  mutating func judge(
    result: inout AcknowledgmentResult, deliverable: Int, hasUnsent: Bool, in pool: TransmissionPool,
    knobs: RecoveryKnobs, now: Instant
  ) {
    flags.remove(.awaitsReordered)
    let isOver = unacknowledged >= recoveryPoint
    if congestion.phase == .loss {
      doubtTimeout(result: &result, isOver: isOver, hasUnsent: hasUnsent, in: pool)
    }
    if congestion.phase != .open, isOver {
      result.endedRecovery = congestion.phase != .reduced
      congestion.recoveryEnded()
      recoveryAllowance = 0
      guessedOctets = 0
      if result.endedRecovery { persistReorderingWindow() }
    }
    guard !isEmpty else { return }
    guard !flags.contains(.awaitsSecond) else { return }
    findLost(result: &result, in: pool, knobs: knobs, now: now)
    // What was lost behind the end of one recovery begins the next.
    guard result.lost > 0 || (result.endedRecovery && lostOctets > 0), !isRecovering(knobs) else { return }
    beginRecovery(deliverable: deliverable, knobs: knobs, now: now)
    result.beganRecovery = true
  }

  /// Whether losses that come to light belong to what is being recovered already.
  func isRecovering(_ knobs: RecoveryKnobs) -> Bool {
    switch knobs.style {
    case .full: congestion.phase == .recovery || congestion.phase == .loss
    case .doublingTimer: unacknowledged < recoveryPoint
    }
  }

  /// Fast recovery begins: RFC 6675, section 5, step 4; RFC 9937, section 6.1. `deliverable`: RecoverFS.
  mutating func beginRecovery(deliverable: Int, knobs: RecoveryKnobs, now: Instant) {
    recoveryPoint = next
    flags.subtract(RecoveryFlags.probing)
    flags.insert(.mayUndo)
    undoFrom = unacknowledged
    undoOctets = 0
    reduction.begin(inFlight: deliverable)
    guard knobs.style == .full else { return }
    congestion.lossDetected(inFlight: outstanding, now: now)
  }

  /// Marks what is lost now, and notes until when what may only be late is waited for.
  mutating func findLost(
    result: inout AcknowledgmentResult, in pool: TransmissionPool, knobs: RecoveryKnobs, now: Instant
  ) {
    let threshold = max(Int(knobs.congestion.duplicateThreshold), 1)
    let before = lostOctets
    let byCount =
      !flags.contains(.usesSACK) || !flags.contains(.reorderingSeen) || knobs.style == .doublingTimer
    // The threshold may be met on each duplicate from then on; but a head that was sent again is not lost by that.
    if byCount, Int(duplicates) >= threshold, !pool[head].flags.contains(.retransmitted) {
      markHeadLost(delivered: result.delivered, in: pool, knobs: knobs, now: now)
    }
    let isPartial = result.acknowledged > 0 && isRecovering(knobs) && congestion.phase != .loss
    if isPartial, !flags.contains(.usesSACK), !pool[head].flags.contains(.retransmitted) {
      // RFC 6582, section 3.2, step 3: the next hole.
      markHeadLost(delivered: result.delivered, in: pool, knobs: knobs, now: now)
    }
    if sackedOctets > 0 || result.hasRetransmitted {
      walk(
        threshold: threshold, byCount: byCount, byTime: knobs.style == .full, delivered: result.delivered, in: pool,
        now: now)
    }
    result.lost += max(Int(lostOctets) - Int(before), 0)
  }

  /// The first segment is lost; with SACK the first record, which is what was sent before it.
  private mutating func markHeadLost(delivered: Int, in pool: TransmissionPool, knobs: RecoveryKnobs, now: Instant) {
    if pool[head].range.count > congestion.segmentSize, !flags.contains(.usesSACK) {
      let place = unacknowledged + congestion.segmentSize
      _ = split(head, at: place, knobs: knobs, in: pool)
    }
    lose(head, delivered: delivered, in: pool, now: now)
  }

  /// IsLost of RFC 6675, section 4, and RACK_detect_loss of RFC 8985, section 6.2, step 5, in one walk from the end.
  private mutating func walk(
    threshold: Int, byCount: Bool, byTime: Bool, delivered: Int, in pool: TransmissionPool, now: Instant
  ) {
    let window = reorderingWindow(threshold: threshold)
    var octetsAbove = 0
    var runsAbove = 0
    var wait = Interval.zero
    var index = tail
    while !index.isNone {
      let record = pool[index]
      defer { index = record.previous }
      if record.flags.contains(.sacked) {
        octetsAbove += record.range.count
        // Neighbours that are both SACKed are one record.
        runsAbove += 1
        continue
      }
      guard !record.flags.contains(.lost) else { continue }
      if byCount, !record.flags.contains(.retransmitted),
        runsAbove >= threshold || octetsAbove > (threshold - 1) * congestion.segmentSize
      {
        lose(index, delivered: delivered, in: pool, now: now)
      } else if byTime, flags.contains(.hasDelivery),
        Self.isLater(rackSent, rackEnd, than: record.sent, record.range.end)
      {
        let remaining = record.sent + rackRoundTrip + window - now
        if remaining > .zero {
          wait = max(wait, remaining)
        } else {
          lose(index, delivered: delivered, in: pool, now: now)
        }
      }
    }
    guard wait > .zero else { return }
    reorderingDue = now + wait
    flags.insert(.awaitsReordered)
  }

  /// RACK_update_reo_wnd: RFC 8985, section 6.2, step 4.
  private func reorderingWindow(threshold: Int) -> Interval {
    if !flags.contains(.reorderingSeen) {
      if congestion.phase != .open { return .zero }
      if Int(sackedOctets) >= threshold * congestion.segmentSize || Int(duplicates) >= threshold { return .zero }
    }
    let widened = Int64(windowMultiplier) * (roundTrip.minimum.nanoseconds / 4)
    return .nanoseconds(min(widened, roundTrip.smoothed.nanoseconds))
  }

  /// Each round trip with a D-SACK widens the window.
  mutating func widenReorderingWindow(_ result: AcknowledgmentResult) {
    if flags.contains(.hasDuplicateRound), unacknowledged >= duplicateRound { flags.remove(.hasDuplicateRound) }
    guard result.sawDSACK, !flags.contains(.hasDuplicateRound) else { return }
    flags.insert(.hasDuplicateRound)
    duplicateRound = next
    windowMultiplier = windowMultiplier == .max ? .max : windowMultiplier + 1
    windowPersistence = 16
  }

  /// After sixteen recoveries without one, it is as at first.
  private mutating func persistReorderingWindow() {
    windowPersistence = windowPersistence == 0 ? 0 : windowPersistence - 1
    if windowPersistence == 0 { windowMultiplier = 1 }
  }
}
