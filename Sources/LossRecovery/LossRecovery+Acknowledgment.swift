// SPDX-License-Identifier: Apache-2.0

public import Arena
internal import CongestionControl
public import Timekeeping
public import Wire

extension LossRecovery {
  /// An acknowledgment came from the receiver.
  ///
  /// - Parameters:
  ///   - number: its acknowledgment number. Outside of what is outstanding: the whole is ignored.
  ///   - blocks: its SACK blocks as they came; those that can't be are ignored.
  ///   - isBare: it has no data, no SYN and no FIN, and does not change the window: RFC 5681, section 2, for duplicates. Only
  ///     looked at without SACK.
  ///   - hasUnsent: there are data that were never sent and might be now (RFC 5682, section 2.1, step 2).
  ///   - isMarked: it reports a mark: ECE, where both ends have agreed on ECN.
  ///   - isStarved: there are no data that were never sent, whatever the receiver's window: `RateSample.isApplicationLimited`.
  public mutating func acknowledged(
    to number: SequenceNumber, blocks: SACKBlocks, isBare: Bool, hasUnsent: Bool, isMarked: Bool = false,
    isStarved: Bool = false, in pool: TransmissionPool, knobs: RecoveryKnobs, now: Instant
  ) -> AcknowledgmentResult {
    var result = AcknowledgmentResult()
    result.forward = forward
    let advance = number - unacknowledged
    guard advance >= 0, advance <= outstanding else {
      result.isIgnored = true
      return result
    }
    let priorInFlight = inFlight
    let wasLimited = congestion.isLimiting(inFlight: priorInFlight)
    let deliverable = outstanding - Int(sackedOctets)
    let duplicate = flags.contains(.usesSACK) ? noteDuplicateReport(blocks, number: number, result: &result) : nil
    if advance > 0 { takeOff(to: number, result: &result, in: pool, now: now) }
    if flags.contains(.usesSACK) {
      takeSACK(blocks, result: &result, in: pool, knobs: knobs, now: now)
    }
    countDuplicates(
      isBare: isBare && blocks.isEmpty, advance: advance, result: &result, knobs: knobs, in: pool, now: now)
    takeSample(result: &result, now: now)
    if advance > 0 {
      duplicates = 0
      backoff = 0
      restartTimer(now: now)
      flags.subtract([.wantsNewProbe, .wantsOldProbe])
    }
    noteProbeAnswer(number: number, duplicate: duplicate, blocks: blocks, result: &result, now: now)
    widenReorderingWindow(result)
    judge(result: &result, deliverable: deliverable, hasUnsent: hasUnsent, in: pool, knobs: knobs, now: now)
    undoIfInVain(duplicate: duplicate, result: &result, in: pool)
    congestion.delivered(
      bytes: result.delivered, roundTrip: roundTrip.smoothed, sample: result.roundTrip, now: now)
    if congestion.isRateBased {
      sampleRate(result, priorInFlight: priorInFlight, isStarved: isStarved, in: pool, now: now)
    } else if result.acknowledged > 0 {
      // Not for duplicates (RFC 3042, section 2); nor does the end of a recovery count what arrived during it.
      let octets = result.endedRecovery ? min(result.delivered, result.acknowledged) : result.acknowledged
      // With the first of what was sent in the round: what was in flight when it began, without what that acknowledgment let go, is acknowledged
      // a segment before the round trip is over. The first after a recovery begins one as well: in it rounds are of what it does.
      let beginsRound = number > roundEnd || result.endedRecovery
      if beginsRound { roundEnd = next }
      congestion.acknowledged(
        bytes: octets, roundTrip: roundTrip.smoothed, sample: result.roundTrip, beginsRound: beginsRound,
        isWindowLimited: wasLimited, isMarked: isMarked, now: now)
    }
    adjustAllowance(result, segmentAtLeast: false)
    paceAnew(knobs)
    return result
  }

  /// Removes what is acknowledged cumulatively.
  private mutating func takeOff(
    to number: SequenceNumber, result: inout AcknowledgmentResult, in pool: TransmissionPool, now: Instant
  ) {
    result.acknowledged = number - unacknowledged
    while !head.isNone {
      let record = pool[head]
      guard record.range.start < number else { break }
      let isWhole = record.range.end <= number
      if !record.flags.contains(.sacked) {
        let octets = (isWhole ? record.range.end : number) - record.range.start
        noteDelivery(record, octets: octets, isSACK: false, result: &result, now: now)
      }
      guard isWhole else {
        trim(to: number, in: pool)
        break
      }
      remove(head, in: pool)
    }
    unacknowledged = number
    // It must not stay behind: half a sequence space later it would lie ahead.
    recoveryPoint = .later(recoveryPoint, number)
    forgetGuesses(result: &result)
  }

  /// Marks what the blocks say, cutting records at their ends. One walk over the list.
  private mutating func takeSACK(
    _ blocks: SACKBlocks, result: inout AcknowledgmentResult, in pool: TransmissionPool, knobs: RecoveryKnobs,
    now: Instant
  ) {
    for number in 0..<blocks.count {
      let block = blocks[number]
      // A block at the acknowledgment number contradicts it.
      guard !block.isEmpty, block.start > unacknowledged, block.end <= next, block.end > unacknowledged else {
        continue
      }
      var index = head
      while !index.isNone, pool[index].range.start < block.end {
        index = sack(index, by: block, result: &result, in: pool, knobs: knobs, now: now)
      }
    }
  }

  /// Marks what of one record lies in a block. Returns the record to go on with.
  private mutating func sack(
    _ index: RecordIndex, by block: SequenceRange, result: inout AcknowledgmentResult, in pool: TransmissionPool,
    knobs: RecoveryKnobs, now: Instant
  ) -> RecordIndex {
    let record = pool[index]
    guard record.range.end > block.start, !record.flags.contains(.sacked) else { return record.next }
    if record.range.start < block.start {
      // The second part, if there is one, is looked at next.
      if !split(index, at: block.start, knobs: knobs, in: pool) {
        doubtRates(until: .earlier(block.end, record.range.end))
      }
      return pool[index].next
    }
    if record.range.end > block.end {
      guard split(index, at: block.end, knobs: knobs, in: pool) else {
        doubtRates(until: block.end)
        return record.next
      }
    }
    let octets = pool[index].range.count
    noteDelivery(record, octets: octets, end: pool[index].range.end, isSACK: true, result: &result, now: now)
    result.sacked += octets
    let following = pool[index].next
    let isJoined = !following.isNone && pool[following].flags.contains(.sacked)
    markSacked(index, in: pool)
    let after = isJoined ? pool[following].next : following
    joinSacked(index, in: pool)
    return after
  }

  /// Octets were delivered that were not known to be: for the round trip, for RACK (RFC 8985, section 6.2, steps 2 and 3) and
  /// for F-RTO.
  private mutating func noteDelivery(
    _ record: Transmission, octets: Int, end: SequenceNumber? = nil, isSACK: Bool, result: inout AcknowledgmentResult,
    now: Instant
  ) {
    let end = end ?? record.range.start + octets
    result.delivered += octets
    if record.flags.contains(.rated) { noteNewest(record, end: end, result: &result) }
    let isAgain = record.flags.contains(.retransmitted)
    if isAgain {
      result.hasRetransmitted = true
      if !isSACK { result.acknowledgedRetransmitted = true }
    } else {
      if end <= recoveryPoint { result.hasOriginal = true }
      if result.latestOriginal.map({ record.sent >= $0 }) ?? true {
        result.latestOriginal = record.sent
        result.latestIsSacked = isSACK
      }
    }
    guard flags.contains(.usesSACK) else { return }
    noteOrder(end: end, isAgain: isAgain, before: result.forward)
    let took = now - record.sent
    // The answer to the first copy, most likely.
    if isAgain, took < roundTrip.minimum { return }
    rackRoundTrip = took
    if !flags.contains(.hasDelivery) || Self.isLater(record.sent, end, than: rackSent, rackEnd) {
      rackSent = record.sent
      rackEnd = end
    }
    flags.insert(.hasDelivery)
  }

  private mutating func noteOrder(end: SequenceNumber, isAgain: Bool, before: SequenceNumber) {
    if end > forward {
      forward = end
    } else if end < before, !isAgain {
      flags.insert(.reorderingSeen)
    }
  }

  /// RACK_sent_after: sent later, or in the same instant and further on.
  static func isLater(_ sent: Instant, _ end: SequenceNumber, than other: Instant, _ otherEnd: SequenceNumber) -> Bool {
    sent > other || (sent == other && end > otherEnd)
  }

  /// RFC 6298, section 3: no sample of what was sent twice. And none of a cumulative acknowledgment that a retransmission
  /// made possible: what lies behind the hole had waited at the receiver. Nor, after a timeout, of what was sent before it: the
  /// receiver's word of that may have been lost, and what comes now is its answer to what was sent again.
  private mutating func takeSample(result: inout AcknowledgmentResult, now: Instant) {
    guard let sent = result.latestOriginal else { return }
    guard result.latestIsSacked || !result.acknowledgedRetransmitted else { return }
    guard backoff == 0 || sent >= timerBegan else { return }
    let sample = now - sent
    guard sample >= .zero else { return }
    result.roundTrip = sample
    roundTrip.sample(sample, now: now)
  }

  /// RFC 9937, section 6.2.
  mutating func adjustAllowance(_ result: AcknowledgmentResult, segmentAtLeast: Bool) {
    guard congestion.phase == .recovery, !congestion.isRateBased else { return }
    guard result.delivered > 0 || result.beganRecovery || segmentAtLeast else { return }
    let allowance = reduction.acknowledged(
      delivered: result.delivered, inFlight: inFlight, threshold: congestion.slowStartThreshold,
      segmentSize: congestion.segmentSize, isSafe: result.acknowledged > 0 && result.lost == 0)
    recoveryAllowance = UInt32(clamping: allowance)
  }

  /// Who goes by rates is paced whatever policy says: his window alone would be twice what the path holds.
  mutating func paceAnew(_ knobs: RecoveryKnobs) {
    if let rate = congestion.pacingRate { return pacer.adjust(rate: rate) }
    let window = knobs.congestion.isPaced ? congestion.window : CongestionControl.unlimited
    pacer.adjust(window: window, roundTrip: roundTrip.smoothed, isInSlowStart: congestion.isInSlowStart)
  }
}
