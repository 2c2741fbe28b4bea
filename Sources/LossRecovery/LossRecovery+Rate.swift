// SPDX-License-Identifier: Apache-2.0

internal import Arena
internal import CongestionControl
internal import Timekeeping
internal import Wire

/// The rate at which what was sent is delivered, for the algorithms that go by it: draft-cheng-iccrg-delivery-rate-estimation-00. A record is a run of
/// octets that were sent in one instant, so that all of them have one mark; parts of it that are acknowledged apart are samples each.
///
/// And what losses tell: draft-ietf-ccwg-bbr-06, section 4.1.2. A record has no room for what was in flight when it was sent (P.tx_in_flight); that
/// follows from what had been delivered then.
extension LossRecovery {
  /// A record of octets that are sent now remembers how things stand (section 3.2).
  mutating func stamp(_ index: RecordIndex, in pool: TransmissionPool, now: Instant) {
    pool[index].mark = rate.mark(now: now)
    pool[index].lostUnits = rate.lostUnits
    pool[index].flags.insert(.rated)
    pool[index].flags.remove(.inOrder)
    if rate.isLimited {
      pool[index].flags.insert(.applicationLimited)
    } else {
      pool[index].flags.remove(.applicationLimited)
    }
  }

  /// Whether octets that are sent now have the mark of a record, and it says no more of them than is true.
  func hasSameMark(_ record: Transmission, now: Instant) -> Bool {
    var flags: TransmissionFlags = rate.isLimited ? [.rated, .applicationLimited] : [.rated]
    if lostOctets == 0 { flags.insert(.inOrder) }
    var rate = rate
    return record.flags == flags && record.lostUnits == rate.lostUnits && rate.mark(now: now) == record.mark
  }

  /// What of what is delivered was sent last (UpdateRateSample).
  func noteNewest(_ record: Transmission, end: SequenceNumber, result: inout AcknowledgmentResult) {
    if let newest = result.newest, !Self.isLater(record.sent, end, than: newest.sent, newest.end) { return }
    result.newest = NewestDelivery(
      sent: record.sent, end: end, mark: record.mark, lostUnits: record.lostUnits, flags: record.flags)
  }

  /// What was delivered up to `end` can't be noted, for want of a record: it would be counted when it is acknowledged cumulatively, as if all of it had
  /// been delivered then.
  mutating func doubtRates(until end: SequenceNumber) {
    if congestion.isRateBased { rate.doubt(until: end) }
  }

  private func forgetMarks(in pool: TransmissionPool) {
    var index = head
    while !index.isNone {
      pool[index].flags.remove(.rated)
      index = pool[index].next
    }
  }

  /// An acknowledgment was judged: the algorithm gets the sample that it is (section 3.3).
  ///
  /// - Parameters:
  ///   - priorInFlight: `inFlight` before it.
  ///   - isStarved: nothing waits to be sent.
  mutating func sampleRate(
    _ result: AcknowledgmentResult, priorInFlight: Int, isStarved: Bool, in pool: TransmissionPool, now: Instant
  ) {
    rate.deliver(result.delivered, sent: result.newest?.sent, now: now)
    if rate.isInDoubt { forgetMarks(in: pool) }
    var sample = RateSample()
    sample.hasSelectiveAcknowledgments = flags.contains(.usesSACK)
    sample.total = rate.delivered
    sample.roundTrip = result.roundTrip
    sample.newlyDelivered = result.delivered
    sample.newlyLost = result.lost
    sample.priorInFlight = priorInFlight
    sample.inFlight = inFlight
    if let newest = result.newest, !rate.isInDoubt {
      let interval = rate.interval(since: newest.mark, sent: newest.sent, now: now)
      // Shorter than any round trip: the answer to an earlier copy.
      if interval > .zero, interval >= roundTrip.minimum {
        sample.delivered = Int(rate.delivered &- newest.mark.delivered)
        sample.interval = interval
        sample.priorTotal = newest.mark.delivered
        sample.isApplicationLimited = newest.flags.contains(.applicationLimited)
      }
      sample.lost = rate.lost(since: newest.lostUnits)
      sample.inFlightAtSend = inFlightAtSend(
        newest.flags, end: newest.end, mark: newest.mark, lost: sample.lost, delivered: rate.delivered)
    }
    rate.acknowledged(to: unacknowledged)
    congestion.sampled(sample, now: now)
    // A sender whose data pass, and do not wait here, is held back by the window if it fills that.
    let isLimited = isStarved && lostOctets == 0 && priorInFlight < congestion.window / 4 * 3
    if isLimited || congestion.isProbingRoundTrip { rate.limit(inFlight: inFlight) }
  }

  // MARK: Losses

  /// Takes a record for lost, because of what the path does: the algorithms that go by rates are told of each.
  ///
  /// - Parameter delivered: what the acknowledgment in hand has delivered, which is not counted yet.
  mutating func lose(_ index: RecordIndex, delivered: Int = 0, in pool: TransmissionPool, now: Instant) {
    let before = lostOctets
    markLost(index, in: pool)
    guard congestion.isRateBased, lostOctets != before else { return }
    tellLoss(index, delivered: delivered, in: pool, now: now)
  }

  private mutating func tellLoss(_ index: RecordIndex, delivered: Int, in pool: TransmissionPool, now: Instant) {
    let record = pool[index]
    rate.lose(record.range.count)
    var loss = LossSample()
    loss.octets = record.range.count
    loss.total = rate.delivered &+ UInt32(truncatingIfNeeded: delivered)
    loss.isApplicationLimited = record.flags.contains(.applicationLimited)
    loss.beginsRange = !isLoss(record.previous, in: pool) && !isLoss(record.next, in: pool)
    loss.hasSelectiveAcknowledgments = flags.contains(.usesSACK)
    if record.flags.contains(.rated), !rate.isInDoubt {
      loss.lost = max(rate.lost(since: record.lostUnits), record.range.count)
      loss.inFlightAtSend = inFlightAtSend(
        record.flags, end: record.range.end, mark: record.mark, lost: loss.lost, delivered: loss.total)
    }
    congestion.lost(loss, now: now)
  }

  /// A segment was lost of which nothing else is known: a probe made it good.
  mutating func tellProbedLoss(now: Instant) {
    guard congestion.isRateBased else { return }
    rate.lose(congestion.segmentSize)
    var loss = LossSample()
    loss.octets = congestion.segmentSize
    loss.total = rate.delivered
    congestion.lost(loss, now: now)
  }

  private func isLoss(_ index: RecordIndex, in pool: TransmissionPool) -> Bool {
    !index.isNone && pool[index].flags.contains(.lost)
  }

  /// P.tx_in_flight of octets up to `end`, with them. What was delivered then ended, were it all in order, as far before where it would end now as has been
  /// delivered since. Of what was sent again: as much as has been delivered and lost since, for all that was in flight has met one or the other.
  ///
  /// - Parameter delivered: C.delivered now.
  func inFlightAtSend(
    _ flags: TransmissionFlags, end: SequenceNumber, mark: DeliveryMark, lost: Int, delivered: UInt32
  ) -> Int {
    let since = Int(delivered &- mark.delivered)
    guard flags.contains(.inOrder), !flags.contains(.retransmitted) else {
      return min(since + lost, Self.longestFlight)
    }
    let arrived = Int(sackedOctets) + Int(guessedOctets)
    return max(min(end - unacknowledged - arrived + since, Self.longestFlight), 0)
  }
}
