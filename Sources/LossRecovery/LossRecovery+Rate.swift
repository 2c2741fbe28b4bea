// SPDX-License-Identifier: Apache-2.0

internal import Arena
internal import CongestionControl
internal import Timekeeping
internal import Wire

/// The rate at which what was sent is delivered, for the algorithm that goes by it: draft-cheng-iccrg-delivery-rate-estimation-00. A record is a run of
/// octets that were sent in one instant, so that all of them have one mark; parts of it that are acknowledged apart are samples each.
extension LossRecovery {
  /// A record of octets that are sent now remembers how things stand (section 3.2).
  mutating func stamp(_ index: RecordIndex, in pool: TransmissionPool, now: Instant) {
    pool[index].mark = rate.mark(now: now)
    pool[index].flags.insert(.rated)
    if rate.isLimited {
      pool[index].flags.insert(.applicationLimited)
    } else {
      pool[index].flags.remove(.applicationLimited)
    }
  }

  /// Whether octets that are sent now have the mark of a record, and it says no more of them than is true.
  func hasSameMark(_ record: Transmission, now: Instant) -> Bool {
    let flags: TransmissionFlags = rate.isLimited ? [.rated, .applicationLimited] : [.rated]
    var rate = rate
    return record.flags == flags && rate.mark(now: now) == record.mark
  }

  /// What of what is delivered was sent last (UpdateRateSample).
  func noteNewest(_ record: Transmission, end: SequenceNumber, result: inout AcknowledgmentResult) {
    if let newest = result.newest, !Self.isLater(record.sent, end, than: newest.sent, newest.end) { return }
    result.newest = NewestDelivery(
      sent: record.sent, end: end, mark: record.mark,
      isApplicationLimited: record.flags.contains(.applicationLimited))
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
        sample.isApplicationLimited = newest.isApplicationLimited
      }
    }
    rate.acknowledged(to: unacknowledged)
    congestion.sampled(sample, now: now)
    // A sender whose data pass, and do not wait here, is held back by the window if it fills that.
    let isLimited = isStarved && lostOctets == 0 && priorInFlight < congestion.window / 4 * 3
    if isLimited || congestion.isProbingRoundTrip { rate.limit(inFlight: inFlight) }
  }
}
