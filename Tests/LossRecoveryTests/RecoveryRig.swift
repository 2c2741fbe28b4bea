// SPDX-License-Identifier: Apache-2.0

import Arena
import CongestionControl
import Memory
import Testing
import Timekeeping
import Wire

@testable import LossRecovery

/// A side with a pool of its own. Places in the stream are octets from its begin; segments are of 1000.
struct RecoveryRig {
  static let segment = 1000

  let memory: ByteRegion
  let pool: TransmissionPool
  let first: SequenceNumber
  var knobs: RecoveryKnobs
  var side: LossRecovery
  var now = Instant(nanoseconds: 10_000_000_000)

  init(
    _ knobs: RecoveryKnobs = .init(), sack: Bool = true, records: Int = 1000, first: UInt32 = .max - 4000
  ) throws {
    memory = ByteRegion.allocate(count: TransmissionPool.byteCount(limit: records), alignment: 64)
    pool = try TransmissionPool(over: memory, limit: records, creating: true)
    self.first = SequenceNumber(rawValue: first)
    self.knobs = knobs
    side = LossRecovery(knobs: knobs, segmentSize: Self.segment, usesSACK: sack)
    side.begin(at: self.first)
  }

  /// Runs a test on a side, checks its list afterwards, and that it gives all its records back.
  static func run(
    _ knobs: RecoveryKnobs = .init(), sack: Bool = true, records: Int = 1000,
    _ body: (inout RecoveryRig) throws -> Void
  ) throws {
    var rig = try RecoveryRig(knobs, sack: sack, records: records)
    defer { rig.memory.deallocate() }
    try body(&rig)
    rig.check()
    rig.side.forget(in: rig.pool)
    #expect(rig.pool.inUse == 0)
    #expect(rig.side.outstanding == 0 && rig.side.inFlight == 0)
    #expect(rig.side.nextDeadline(knobs: rig.knobs) == nil)
  }

  static func knobs(
    _ algorithm: CongestionAlgorithm = .newReno, window: UInt16 = 20, style: RecoveryStyle = .full, threshold: UInt8 = 3
  ) -> RecoveryKnobs {
    var knobs = RecoveryKnobs()
    knobs.congestion.algorithm = algorithm
    knobs.congestion.initialWindow = window
    knobs.congestion.duplicateThreshold = threshold
    knobs.style = style
    return knobs
  }

  func range(_ start: Int, _ end: Int) -> SequenceRange { SequenceRange(start: first + start, end: first + end) }
  func place(_ number: SequenceNumber) -> Int { number - first }

  /// Where the round ends.
  var roundEnd: Int { place(side.roundEnd) }

  mutating func pass(_ milliseconds: Int64) { now = now + .milliseconds(milliseconds) }

  /// Sends segments by number, each by itself, a microsecond apart.
  mutating func send(_ segments: Range<Int>) {
    for segment in segments {
      #expect(
        side.sent(range(segment * Self.segment, (segment + 1) * Self.segment), in: pool, knobs: knobs, now: now) == true
      )
      now = now + .microseconds(1)
    }
  }

  /// Acknowledges up to a segment; blocks are of segments.
  @discardableResult
  mutating func acknowledge(
    _ segment: Int, _ blocks: [Range<Int>] = [], isBare: Bool = true, hasUnsent: Bool = true, checking: Bool = true
  ) -> AcknowledgmentResult {
    var all = SACKBlocks()
    for block in blocks { all.append(range(block.lowerBound * Self.segment, block.upperBound * Self.segment)) }
    let result = side.acknowledged(
      to: first + segment * Self.segment, blocks: all, isBare: isBare, hasUnsent: hasUnsent, in: pool, knobs: knobs,
      now: now)
    if checking { check() }
    return result
  }

  /// What would be sent again now, in segments; and it is.
  mutating func retransmit(limit: Int? = nil) -> Range<Int>? {
    guard let range = side.nextToRetransmit(limit: limit ?? side.allowance, in: pool) else { return nil }
    side.retransmitted(range, in: pool, knobs: knobs, now: now)
    check()
    return place(range.start) / Self.segment..<(place(range.end) + Self.segment - 1) / Self.segment
  }

  mutating func retransmitAll() -> [Range<Int>] {
    var all: [Range<Int>] = []
    while all.count < 1000, let range = retransmit() { all.append(range) }
    return all
  }

  /// Lets the next timer expire at its time.
  @discardableResult
  mutating func expire(
    _ expected: RecoveryTimerKind? = nil, hasUnsent: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> (timer: RecoveryTimerKind, after: Interval, action: RecoveryAction) {
    let timer = try #require(side.nextDeadline(knobs: knobs), sourceLocation: sourceLocation)
    #expect(expected == nil || expected == timer.kind, sourceLocation: sourceLocation)
    let after = timer.due - now
    now = max(now, timer.due)
    let action = side.timerExpired(hasUnsent: hasUnsent, in: pool, knobs: knobs, now: now)
    check()
    return (timer.kind, after, action)
  }

  var records: [Transmission] {
    var all: [Transmission] = []
    var index = side.head
    while !index.isNone, all.count <= pool.limit {
      all.append(pool[index])
      index = pool[index].next
    }
    return all
  }

  /// The list is ordered, without gaps or overlaps, from `unacknowledged` to `next`; its sums are what a naive count says.
  func check(sourceLocation: SourceLocation = #_sourceLocation) {
    let records = records
    var end = side.unacknowledged
    var inFlight = 0
    var previousIsSacked = false
    for record in records {
      #expect(record.range.start == end && record.range.count > 0, sourceLocation: sourceLocation)
      end = record.range.end
      let isSacked = record.flags.contains(.sacked)
      #expect(!(isSacked && record.flags.contains(.lost)), sourceLocation: sourceLocation)
      #expect(!(isSacked && previousIsSacked), "joined", sourceLocation: sourceLocation)
      previousIsSacked = isSacked
      if record.flags.isDisjoint(with: [.sacked, .lost]) { inFlight += record.range.count }
    }
    #expect(end == side.next, sourceLocation: sourceLocation)
    #expect(side.inFlight == max(inFlight - Int(side.guessedOctets), 0), sourceLocation: sourceLocation)
    #expect(records.count == Int(side.recordCount), sourceLocation: sourceLocation)
    #expect(records.count <= max(Int(knobs.recordLimit), 4), sourceLocation: sourceLocation)
    // Backwards it is the same list.
    var backwards = 0
    var index = side.tail
    while !index.isNone, backwards <= records.count {
      backwards += 1
      index = pool[index].previous
    }
    #expect(backwards == records.count, sourceLocation: sourceLocation)
  }
}
