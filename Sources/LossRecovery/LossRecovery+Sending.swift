// SPDX-License-Identifier: Apache-2.0

public import Arena
internal import CongestionControl
public import Timekeeping
public import Wire

extension LossRecovery {
  /// Whether `sent` will find a record: to be asked before something is sent that nobody else will send again.
  public func canSend(in pool: TransmissionPool) -> Bool {
    guard outstanding < Self.longestFlight else { return false }
    return !isEmpty || pool.inUse < pool.limit
  }

  /// Data were sent, by us or by the sender itself and passed on.
  ///
  /// They should begin at `next`. What lies below it counts as sent again; what lies between is taken along. A range that was
  /// sent in the same instant as the one before, and goes on where that ended, is one with it.
  ///
  /// - Returns: whether they are noted. If not, there was no record, or more would be outstanding than there may be, and nothing
  ///   was changed.
  public mutating func sent(_ range: SequenceRange, in pool: TransmissionPool, knobs: RecoveryKnobs, now: Instant)
    -> Bool
  {
    if range.start < next {
      retransmitted(
        SequenceRange(start: .later(range.start, unacknowledged), end: .earlier(range.end, next)), in: pool,
        knobs: knobs,
        now: now)
    }
    guard range.end > next else { return true }
    guard range.end - unacknowledged <= Self.longestFlight, range.end > unacknowledged else { return false }
    let new = SequenceRange(start: next, end: range.end)
    if isEmpty { goOn(knobs, now: now) }
    if !extendLast(to: new.end, now: now, in: pool, anyhow: false),
      !append(new, knobs: knobs, now: now, in: pool),
      !extendLast(to: new.end, now: now, in: pool, anyhow: true)
    {
      return false
    }
    next = new.end
    lastSent = now
    // New data probe as well as old.
    if !flags.isDisjoint(with: [.wantsNewProbe, .wantsOldProbe]) { probeSent(isOld: false, now: now) }
    spend(new.count)
    return true
  }

  /// From `number` on nothing was sent, though `sent` was told so: what was to carry it had no room. Or it is to be forgotten that
  /// it was; then `retransmitted` says of what is sent again that it was sent before.
  public mutating func unsent(from number: SequenceNumber, in pool: TransmissionPool) {
    let number = SequenceNumber.later(number, unacknowledged)
    let octets = next - number
    guard octets > 0 else { return }
    while !tail.isNone, pool[tail].range.start >= number { remove(tail, in: pool) }
    if !tail.isNone, pool[tail].range.end > number { truncate(to: number, in: pool) }
    next = number
    guessedOctets = UInt32(clamping: min(Int(guessedOctets), outstanding - congestion.segmentSize))
    recoveryPoint = .earlier(recoveryPoint, number)
    if flags.contains(.hasDuplicateRound) { duplicateRound = .earlier(duplicateRound, number) }
    if flags.contains(.probeOutstanding), probeEnd > number { flags.subtract(RecoveryFlags.probing) }
    guard congestion.phase == .recovery else { return }
    reduction.returned(bytes: octets)
    recoveryAllowance = UInt32(clamping: Int(recoveryAllowance) + octets)
  }

  /// What should be sent again now, if anything: at most `limit` octets, whole segments unless the range ends with less. May be
  /// more than one record. `limit`: not more than `allowance`.
  public func nextToRetransmit(limit: Int, in pool: TransmissionPool) -> SequenceRange? {
    guard !isEmpty, limit > 0 else { return nil }
    if flags.contains(.wantsOldProbe) {
      let last = pool[tail].range
      return SequenceRange(start: .later(last.start, last.end - min(congestion.segmentSize, limit)), end: last.end)
    }
    // F-RTO: new data first, to see what their acknowledgment says.
    guard lostOctets > 0, !flags.contains(.awaitsSecond) else { return nil }
    var limit = limit
    if flags.contains(.awaitsFirst) {
      guard pool[head].flags.contains(.lost) else { return nil }
      limit = min(limit, congestion.segmentSize)
    }
    var index = head
    while !index.isNone, !pool[index].flags.contains(.lost) { index = pool[index].next }
    guard !index.isNone else { return nil }
    var range = pool[index].range
    index = pool[index].next
    while !index.isNone, range.count < limit, pool[index].flags.contains(.lost) {
      range.end = pool[index].range.end
      index = pool[index].next
    }
    guard range.count > limit else { return range }
    let whole = limit / congestion.segmentSize * congestion.segmentSize
    return whole > 0 ? SequenceRange(start: range.start, count: whole) : nil
  }

  /// Data were sent again, as `nextToRetransmit` said or otherwise.
  ///
  /// A record that can't be cut counts as sent again whole; what of it was not is found missing by the next timeout.
  public mutating func retransmitted(
    _ range: SequenceRange, in pool: TransmissionPool, knobs: RecoveryKnobs, now: Instant
  ) {
    guard !range.isEmpty, !isEmpty, range.start >= unacknowledged, range.end <= next else { return }
    var index = head
    while !index.isNone, pool[index].range.start < range.end {
      defer { index = pool[index].next }
      let record = pool[index]
      guard record.range.end > range.start, !record.flags.contains(.sacked) else { continue }
      if record.range.start < range.start, split(index, at: range.start, knobs: knobs, in: pool) {
        continue
      }
      if pool[index].range.end > range.end { _ = split(index, at: range.end, knobs: knobs, in: pool) }
      unmarkLost(index, in: pool)
      pool[index].flags.insert(.retransmitted)
      pool[index].retransmissions = pool[index].retransmissions == .max ? .max : pool[index].retransmissions + 1
      pool[index].sent = now
      if congestion.isRateBased { stamp(index, in: pool, now: now) }
    }
    if flags.contains(.mayUndo) { undoOctets = UInt32(clamping: Int(undoOctets) + range.count) }
    if range.start == unacknowledged { restartTimer(now: now) }
    if flags.contains(.wantsOldProbe) { probeSent(isOld: true, now: now) }
    spend(range.count)
  }

  /// Lets the last record grow. `anyhow`: even if it says something of itself that is not true of the new octets; then it is
  /// made to say less.
  private mutating func extendLast(
    to end: SequenceNumber, now: Instant, in pool: TransmissionPool, anyhow: Bool
  ) -> Bool {
    guard !tail.isNone else { return false }
    if !anyhow {
      let record = pool[tail]
      guard record.sent == now else { return false }
      guard congestion.isRateBased ? hasSameMark(record, now: now) : record.flags.isEmpty else { return false }
    } else {
      pool[tail].flags.remove(.rated)
    }
    unmarkSacked(tail, in: pool)
    unmarkLost(tail, in: pool)
    pool[tail].range.end = end
    pool[tail].sent = now
    return true
  }

  /// Segments are of another size from now on, since the path is narrower than was thought.
  ///
  /// - Parameter isLost: whether what is outstanding and not SACKed is to be sent again: it was too big. That is no congestion
  ///   (RFC 1191, section 6.5).
  public mutating func segmentSizeChanged(
    to size: Int, isLost: Bool, in pool: TransmissionPool, now: Instant
  ) {
    congestion.segmentSizeChanged(to: size)
    guard isLost, !isEmpty else { return }
    guessedOctets = 0
    var index = head
    while !index.isNone {
      markLost(index, in: pool)
      index = pool[index].next
    }
    restartTimer(now: now)
  }

  /// The receiver's window was shut and takes more again. What had reached it meanwhile it has thrown away: what was sent a round trip
  /// ago, and is neither acknowledged nor SACKed, is to be sent again. That is no congestion; what timeouts have made of the
  /// window meanwhile stays so.
  public mutating func reopened(in pool: TransmissionPool, now: Instant) {
    guard !isEmpty else { return }
    var index = head
    while !index.isNone {
      if pool[index].sent + roundTrip.smoothed <= now { markLost(index, in: pool) }
      // Questions were no attempts.
      pool[index].retransmissions = 0
      index = pool[index].next
    }
    guard lostOctets > 0 else { return }
    guessedOctets = 0
    flags.subtract(RecoveryFlags.probing.union(.timeoutInDoubt))
    backoff = 0
    restartTimer(now: now)
  }

  private mutating func spend(_ octets: Int) {
    guard congestion.phase == .recovery else { return }
    reduction.sent(bytes: octets)
    recoveryAllowance = UInt32(clamping: Int(recoveryAllowance) - octets)
  }

  /// The first is sent after nothing was in flight.
  private mutating func goOn(_ knobs: RecoveryKnobs, now: Instant) {
    if congestion.isRateBased {
      rate.restart(now: now)
      congestion.restarted(roundTrip: roundTrip.minimum, isApplicationLimited: rate.isLimited, now: now)
      paceAnew(knobs)
    }
    let silence = now - max(lastSent, timerBegan)
    if roundTrip.hasSample, silence > roundTrip.smoothed { congestion.idle(for: silence) }
    restartTimer(now: now)
  }

  /// A tail loss probe left: RFC 8985, section 7.3.
  private mutating func probeSent(isOld: Bool, now: Instant) {
    flags.subtract(RecoveryFlags.probing)
    flags.insert(.probeOutstanding)
    if isOld { flags.insert(.probeWasOld) }
    probeEnd = next
    restartTimer(now: now)
  }

  mutating func restartTimer(now: Instant) {
    timerBegan = now
    flags.remove(.graced)
  }
}
