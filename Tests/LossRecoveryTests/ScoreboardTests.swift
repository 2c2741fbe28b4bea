// SPDX-License-Identifier: Apache-2.0

import Arena
import CongestionControl
import FrameSupport
import LossRecovery
import Testing
import Timekeeping
import Wire

@Suite("The scoreboard: bounded, and never wrong")
struct ScoreboardTests {
  @Test("What is sent in one instant is one record; another instant begins another")
  func merging() throws {
    try RecoveryRig.run { rig in
      for segment in 0..<46 {
        #expect(
          rig.side.sent(rig.range(segment * 1000, segment * 1000 + 1000), in: rig.pool, knobs: rig.knobs, now: rig.now)
            == true)
      }
      #expect(rig.records.count == 1)
      rig.send(46..<48)
      #expect(rig.records.count == 2)
      rig.pass(10)
      rig.acknowledge(0, [10..<11, 20..<22])
      #expect(rig.records.count == 6)
    }
  }

  @Test(
    "What is sent below next counts as sent again; a gap is taken along; nothing beyond half of the numbers is taken")
  func oddRanges() throws {
    try RecoveryRig.run { rig in
      rig.send(0..<4)
      let now = rig.now
      #expect(rig.side.sent(rig.range(-5000, -1000), in: rig.pool, knobs: rig.knobs, now: now) == true)
      #expect(rig.side.outstanding == 4000)
      #expect(rig.side.sent(rig.range(2000, 6000), in: rig.pool, knobs: rig.knobs, now: now) == true)
      #expect(rig.side.outstanding == 6000)
      #expect(rig.records.contains { $0.flags.contains(.retransmitted) })
      #expect(rig.side.sent(rig.range(9000, 10_000), in: rig.pool, knobs: rig.knobs, now: now) == true)
      #expect(rig.side.outstanding == 10_000)
      #expect(rig.side.sent(rig.range(10_000, 1 << 30 + 1), in: rig.pool, knobs: rig.knobs, now: now) == false)
      #expect(rig.side.sent(rig.range(10_000, Int(Int32.max)), in: rig.pool, knobs: rig.knobs, now: now) == false)
      #expect(rig.side.outstanding == 10_000)
    }
  }

  @Test("Without a record left everything still gets acknowledged, or resent", arguments: [1, 2, 3, 5])
  func exhausted(records: Int) throws {
    try RecoveryRig.run(RecoveryRig.knobs(), records: records) { rig in
      #expect(rig.side.canSend(in: rig.pool))
      rig.send(0..<10)
      rig.pass(10)
      rig.acknowledge(0, [2..<3, 4..<5, 6..<7, 8..<9])
      rig.check()
      rig.acknowledge(3)
      rig.send(10..<12)
      rig.check()
      for _ in 0..<4 where !rig.side.isEmpty {
        try rig.expire()
        _ = rig.retransmitAll()
      }
      rig.acknowledge(12)
      #expect(rig.side.isEmpty)
    }
    try RecoveryRig.run(records: 1) { rig in
      let taken = try #require(rig.pool.allocate())
      #expect(!rig.side.canSend(in: rig.pool))
      let isNoted = rig.side.sent(rig.range(0, 1000), in: rig.pool, knobs: rig.knobs, now: rig.now)
      #expect(!isNoted)
      #expect(rig.side.isEmpty && rig.side.outstanding == 0)
      rig.pool.free(taken)
    }
  }

  @Test("A side that has no record yet finds one, however many another one could use")
  func reserved() throws {
    var knobs = RecoveryRig.knobs(window: 1000)
    knobs.reservedRecords = 2
    try RecoveryRig.run(knobs, records: 10) { rig in
      for segment in 0..<50 {
        rig.now = rig.now + .microseconds(1)
        rig.send(segment..<segment + 1)
      }
      #expect(rig.pool.inUse == 8)
      var other = LossRecovery(knobs: knobs, segmentSize: RecoveryRig.segment, usesSACK: true)
      other.begin(at: rig.first)
      #expect(other.canSend(in: rig.pool))
      let isNoted = other.sent(rig.range(0, 1000), in: rig.pool, knobs: knobs, now: rig.now)
      #expect(isNoted)
      other.forget(in: rig.pool)
    }
  }

  @Test("A storm of SACK blocks never takes more records than a side may have", arguments: 0..<10 as Range<UInt64>)
  func storm(seed: UInt64) throws {
    var knobs = RecoveryRig.knobs(window: 1000)
    knobs.recordLimit = 32
    try RecoveryRig.run(knobs) { rig in
      var random = SplitMix64(seed: seed)
      rig.send(0..<200)
      for _ in 0..<500 {
        var blocks = SACKBlocks()
        for _ in 0..<4 {
          let start = Int.random(in: -10_000...210_000, using: &random)
          blocks.append(rig.range(start, start + Int.random(in: -10...3000, using: &random)))
        }
        let place = rig.place(rig.side.unacknowledged) + (Int.random(in: 0..<20, using: &random) == 0 ? 777 : 0)
        _ = rig.side.acknowledged(
          to: rig.first + place, blocks: blocks, isBare: true, hasUnsent: .random(using: &random), in: rig.pool,
          knobs: rig.knobs, now: rig.now)
        rig.check()
        #expect(rig.pool.inUse <= 32)
        if .random(using: &random) { _ = rig.retransmit() }
        rig.now = rig.now + .microseconds(50)
      }
    }
  }

  @Test("Any calls in any order leave the list whole", arguments: 0..<30 as Range<UInt64>, [true, false])
  func anything(seed: UInt64, sack: Bool) throws {
    var random = SplitMix64(seed: seed)
    var knobs = RecoveryRig.knobs(
      CongestionAlgorithm.allCases.randomElement(using: &random) ?? .cubic,
      style: seed % 3 == 0 ? .doublingTimer : .full,
      threshold: .random(in: 0...4, using: &random))
    knobs.recordLimit = .random(in: 0...50, using: &random)
    try RecoveryRig.run(knobs, sack: sack, records: .random(in: 3...60, using: &random)) { rig in
      for _ in 0..<600 {
        step(&rig, random: &random)
        rig.check()
        #expect(rig.side.allowance >= 0)
        #expect(rig.side.isEmpty == (rig.side.nextDeadline(knobs: rig.knobs) == nil))
      }
    }
  }

  private func step(_ rig: inout RecoveryRig, random: inout SplitMix64) {
    let una = rig.place(rig.side.unacknowledged)
    let next = rig.place(rig.side.next)
    func any() -> Int { Int.random(in: una - 2000...next + 2000, using: &random) }
    switch Int.random(in: 0..<11, using: &random) {
    case 0, 1, 2:
      let start = Int.random(in: 0..<10, using: &random) == 0 ? any() : next
      _ = rig.side.sent(
        rig.range(start, start + .random(in: -5...9000, using: &random)), in: rig.pool, knobs: rig.knobs, now: rig.now)
    case 3, 4, 5, 6:
      var blocks = SACKBlocks()
      for _ in 0..<Int.random(in: 0...4, using: &random) {
        let start = any()
        blocks.append(rig.range(start, start + .random(in: -5...4000, using: &random)))
      }
      let to = Bool.random(using: &random) ? una : any()
      _ = rig.side.acknowledged(
        to: rig.first + to, blocks: blocks, isBare: .random(using: &random), hasUnsent: .random(using: &random),
        in: rig.pool, knobs: rig.knobs, now: rig.now)
    case 7:
      let limit = Bool.random(using: &random) ? rig.side.allowance : .random(in: -1...5000, using: &random)
      if let range = rig.side.nextToRetransmit(limit: limit, in: rig.pool) {
        #expect(range.count > 0 && range.count <= limit)
        rig.side.retransmitted(range, in: rig.pool, knobs: rig.knobs, now: rig.now)
      }
    case 8:
      let start = any()
      rig.side.retransmitted(rig.range(start, any()), in: rig.pool, knobs: rig.knobs, now: rig.now)
    case 9:
      rig.side.unsent(from: rig.first + any(), in: rig.pool)
    default:
      if let timer = rig.side.nextDeadline(knobs: rig.knobs), .random(using: &random) {
        rig.now = max(rig.now, timer.due)
      }
      _ = rig.side.timerExpired(hasUnsent: .random(using: &random), in: rig.pool, knobs: rig.knobs, now: rig.now)
    }
    rig.now = rig.now + .microseconds(.random(in: 0...20_000, using: &random))
  }

  @Test("What did not leave after all was never sent: in flight, outstanding and timers are as before")
  func unsent() throws {
    try RecoveryRig.run(RecoveryRig.knobs()) { rig in
      rig.send(0..<4)
      let deadline = rig.side.nextDeadline(knobs: rig.knobs)
      // Half of what was said in one instant, and all of what was said in the next.
      _ = rig.side.sent(rig.range(4000, 6000), in: rig.pool, knobs: rig.knobs, now: rig.now)
      rig.pass(1)
      rig.send(6..<8)
      rig.side.unsent(from: rig.first + 5000, in: rig.pool)
      rig.check()
      #expect(rig.side.outstanding == 5000 && rig.side.inFlight == 5000)
      rig.side.unsent(from: rig.first + 4000, in: rig.pool)
      #expect(rig.side.outstanding == 4000)
      #expect(rig.side.nextDeadline(knobs: rig.knobs)?.kind == deadline?.kind)
      // An acknowledgment of it is one of what was not sent.
      #expect(rig.acknowledge(5).isIgnored)
      rig.send(4..<6)
      #expect(rig.acknowledge(6).acknowledged == 6000)
    }
    try RecoveryRig.run { rig in
      rig.send(0..<1)
      rig.side.unsent(from: rig.first, in: rig.pool)
      #expect(rig.side.isEmpty && rig.side.nextDeadline(knobs: rig.knobs) == nil)
    }
  }

  @Test("In a recovery, what did not leave may leave again")
  func unsentInRecovery() throws {
    try RecoveryRig.run(RecoveryRig.knobs()) { rig in
      rig.send(0..<20)
      rig.acknowledge(0, [1..<4])
      #expect(rig.retransmit() == 0..<1)
      for last in 5..<16 { rig.acknowledge(0, [1..<last]) }
      let allowance = rig.side.allowance
      #expect(allowance >= 1000)
      rig.send(20..<21)
      #expect(rig.side.allowance == allowance - 1000)
      rig.side.unsent(from: rig.first + 20_000, in: rig.pool)
      #expect(rig.side.allowance == allowance)
    }
  }

  @Test("It fits where it is to lie")
  func sizes() {
    #expect(MemoryLayout<Transmission>.stride <= 40)
    let parts =
      MemoryLayout<CongestionControl>.stride + MemoryLayout<RTTEstimator>.stride + MemoryLayout<Pacer>.stride
    #expect(MemoryLayout<LossRecovery>.size <= 164 + parts)
    #expect(MemoryLayout<LossRecovery>.stride <= 488)
  }
}
