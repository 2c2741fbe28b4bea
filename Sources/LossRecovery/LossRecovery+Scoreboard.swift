// SPDX-License-Identifier: Apache-2.0

internal import Arena
internal import CongestionControl
internal import Timekeeping
internal import Wire

/// The list of transmissions and its sums. Nothing here decides.
extension LossRecovery {
  /// Puts a record at the end of the list; false if there is none to be had.
  mutating func append(
    _ range: SequenceRange, knobs: RecoveryKnobs, now: Instant, in pool: TransmissionPool
  ) -> Bool {
    guard mayHaveMore(knobs, in: pool), let index = pool.allocate() else { return false }
    pool[index] = Transmission(
      range: range, sent: now, previous: tail, next: .none, flags: [], retransmissions: 0)
    if tail.isNone { head = index } else { pool[tail].next = index }
    tail = index
    recordCount &+= 1
    if congestion.isRateBased {
      stamp(index, in: pool, now: now)
      if lostOctets == 0 { pool[index].flags.insert(.inOrder) }
    }
    return true
  }

  /// The first record is everybody's; further ones are not taken from those that have none.
  private func mayHaveMore(_ knobs: RecoveryKnobs, in pool: TransmissionPool) -> Bool {
    guard !isEmpty else { return true }
    return recordCount < max(knobs.recordLimit, 4) && pool.limit - pool.inUse > knobs.reservedRecords
  }

  /// Takes a record out of the list and its octets out of the sums.
  mutating func remove(_ index: RecordIndex, in pool: TransmissionPool) {
    let record = pool[index]
    if record.previous.isNone { head = record.next } else { pool[record.previous].next = record.next }
    if record.next.isNone { tail = record.previous } else { pool[record.next].previous = record.previous }
    discount(octets: record.range.count, of: record.flags)
    pool.free(index)
    recordCount &-= 1
  }

  /// Cuts a record in two at a place inside it; false if there is no record to be had. The first part keeps its index.
  mutating func split(
    _ index: RecordIndex, at place: SequenceNumber, knobs: RecoveryKnobs, in pool: TransmissionPool
  ) -> Bool {
    guard mayHaveMore(knobs, in: pool), let second = pool.allocate() else { return false }
    var record = pool[index]
    let after = record.next
    pool[index].range.end = place
    pool[index].next = second
    record.range.start = place
    record.previous = index
    pool[second] = record
    if after.isNone { tail = second } else { pool[after].previous = second }
    recordCount &+= 1
    return true
  }

  /// Forgets octets at the begin of the first record.
  mutating func trim(to place: SequenceNumber, in pool: TransmissionPool) {
    let record = pool[head]
    discount(octets: place - record.range.start, of: record.flags)
    pool[head].range.start = place
  }

  /// Forgets octets at the end of the last record.
  mutating func truncate(to place: SequenceNumber, in pool: TransmissionPool) {
    let record = pool[tail]
    discount(octets: record.range.end - place, of: record.flags)
    pool[tail].range.end = place
  }

  /// The receiver has it.
  mutating func markSacked(_ index: RecordIndex, in pool: TransmissionPool) {
    let record = pool[index]
    guard !record.flags.contains(.sacked) else { return }
    unmarkLost(index, in: pool)
    pool[index].flags.insert(.sacked)
    sackedOctets &+= UInt32(truncatingIfNeeded: record.range.count)
  }

  mutating func unmarkSacked(_ index: RecordIndex, in pool: TransmissionPool) {
    guard pool[index].flags.contains(.sacked) else { return }
    pool[index].flags.remove(.sacked)
    sackedOctets &-= UInt32(truncatingIfNeeded: pool[index].range.count)
  }

  mutating func markLost(_ index: RecordIndex, in pool: TransmissionPool) {
    let record = pool[index]
    guard record.flags.isDisjoint(with: [.sacked, .lost]) else { return }
    pool[index].flags.insert(.lost)
    lostOctets &+= UInt32(truncatingIfNeeded: record.range.count)
  }

  mutating func unmarkLost(_ index: RecordIndex, in pool: TransmissionPool) {
    guard pool[index].flags.contains(.lost) else { return }
    pool[index].flags.remove(.lost)
    lostOctets &-= UInt32(truncatingIfNeeded: pool[index].range.count)
  }

  /// Joins a SACKed record with SACKed neighbours, so that there are never more records than holes, and parts of holes, ask
  /// for. What remains has the later time: it counts only if the receiver takes his word back.
  mutating func joinSacked(_ index: RecordIndex, in pool: TransmissionPool) {
    let following = pool[index].next
    if !following.isNone, pool[following].flags.contains(.sacked) { absorb(following, into: index, in: pool) }
    let preceding = pool[index].previous
    if !preceding.isNone, pool[preceding].flags.contains(.sacked) { absorb(index, into: preceding, in: pool) }
  }

  private mutating func absorb(_ second: RecordIndex, into first: RecordIndex, in pool: TransmissionPool) {
    let record = pool[second]
    pool[first].range.end = record.range.end
    pool[first].sent = max(pool[first].sent, record.sent)
    pool[first].flags.formUnion(record.flags)
    // What was sent at different times has no one mark.
    pool[first].flags.remove(.rated)
    pool[first].retransmissions = max(pool[first].retransmissions, record.retransmissions)
    pool[first].next = record.next
    if record.next.isNone { tail = first } else { pool[record.next].previous = first }
    pool.free(second)
    recordCount &-= 1
  }

  private mutating func discount(octets: Int, of flags: TransmissionFlags) {
    if flags.contains(.sacked) { sackedOctets &-= UInt32(truncatingIfNeeded: octets) }
    if flags.contains(.lost) { lostOctets &-= UInt32(truncatingIfNeeded: octets) }
  }
}
