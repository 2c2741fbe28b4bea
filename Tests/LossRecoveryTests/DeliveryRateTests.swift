// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Testing
import Timekeeping
import Wire

@testable import CongestionControl
@testable import LossRecovery

/// Against draft-cheng-iccrg-delivery-rate-estimation-00. The rate that is seen is the largest of the last rounds.
@Suite("Delivery rates")
struct DeliveryRateTests {
  private static let knobs = RecoveryRig.knobs(.bbr)

  /// Sends segments each a millisecond after the other.
  private func sendSlowly(_ segments: Range<Int>, _ rig: inout RecoveryRig) {
    for segment in segments {
      rig.send(segment..<segment + 1)
      rig.now = rig.now + .microseconds(999)
    }
  }

  private func isNear(_ rate: Int64, _ expected: Double) -> Bool { abs(Double(rate) / expected - 1) < 0.02 }

  @Test("What is delivered in a round trip, over the round trip: 10 segments in 50 ms", arguments: [true, false])
  func wholeFlight(sack: Bool) throws {
    try RecoveryRig.run(Self.knobs, sack: sack) { rig in
      rig.send(0..<10)
      rig.pass(50)
      rig.acknowledge(10)
      #expect(isNear(rig.side.congestion.deliveryRate, 10_000 / 0.05))
      #expect(rig.side.rate.delivered == 10_000)
    }
  }

  @Test("Section 2.2.1: acknowledgments that were held up and come at once show no more than the rate of sending")
  func compressed() throws {
    try RecoveryRig.run(Self.knobs) { rig in
      var (sent, acknowledged) = (0, 0)
      // A segment each millisecond, answered after 20. But ten answers are held up: one comes, then something is sent, then the others come.
      for time in 0..<120 {
        sendSlowly(sent..<sent + 1, &rig)
        sent += 1
        guard time >= 20, !(50..<59).contains(time) else { continue }
        let last = time == 59 ? acknowledged + 1 : time - 19
        while acknowledged < last {
          acknowledged += 1
          rig.acknowledge(acknowledged)
        }
      }
      #expect(isNear(rig.side.congestion.deliveryRate, 1_000_000))
    }
  }

  @Test("Section 2.2.2: who sends slowly and is answered steadily is measured by the answers")
  func steady() throws {
    try RecoveryRig.run(Self.knobs) { rig in
      rig.send(0..<20)
      rig.pass(20)
      // A segment each 2 ms; for each one more is sent.
      for segment in 1..<100 {
        rig.acknowledge(segment)
        if segment + 19 < 100 { rig.send(segment + 19..<segment + 20) }
        rig.now = rig.now + .microseconds(1_999)
      }
      #expect(isNear(rig.side.congestion.deliveryRate, 500_000))
    }
  }

  @Test("What SACK has told of is not counted again when it is acknowledged cumulatively")
  func sackThenCumulative() throws {
    try RecoveryRig.run(Self.knobs) { rig in
      rig.send(0..<10)
      rig.pass(20)
      rig.acknowledge(0, [1..<6])
      #expect(rig.side.rate.delivered == 5000)
      #expect(isNear(rig.side.congestion.deliveryRate, 5_000 / 0.02))
      while rig.retransmit() != nil {}
      rig.pass(20)
      rig.acknowledge(10)
      #expect(rig.side.rate.delivered == 10_000)
      #expect(rig.side.congestion.deliveryRate <= 260_000)
    }
  }

  @Test("Part of a run that was sent at once is a sample as the whole is")
  func partOfRun() throws {
    try RecoveryRig.run(Self.knobs) { rig in
      let isNoted = rig.side.sent(rig.range(0, 10_000), in: rig.pool, knobs: rig.knobs, now: rig.now)
      #expect(isNoted)
      #expect(rig.records.count == 1)
      rig.pass(20)
      rig.acknowledge(0, [2..<4])
      #expect(rig.records.count == 3)
      #expect(isNear(rig.side.congestion.deliveryRate, 2_000 / 0.02))
      rig.pass(5)
      rig.acknowledge(4)
      rig.pass(5)
      rig.acknowledge(10)
      // All ten in the 30 ms since they were sent.
      #expect(isNear(rig.side.congestion.deliveryRate, 10_000 / 0.03))
    }
  }

  @Test("Runs of an instant are one; but not if something was delivered between them, nor for others than BBR")
  func runs() throws {
    for algorithm in [CongestionAlgorithm.bbr, .newReno] {
      try RecoveryRig.run(RecoveryRig.knobs(algorithm)) { rig in
        rig.send(0..<2)
        rig.pass(10)
        let now = rig.now
        func send(_ segment: Int) {
          let range = rig.range(segment * 1000, segment * 1000 + 1000)
          let isNoted = rig.side.sent(range, in: rig.pool, knobs: rig.knobs, now: now)
          #expect(isNoted)
        }
        send(2)
        send(3)
        #expect(rig.records.last?.range.count == 2000)
        rig.acknowledge(1)
        send(4)
        #expect(rig.records.last?.range.count == (algorithm == .bbr ? 1000 : 3000))
      }
    }
  }

  @Test("The answer to a first copy is no sample of the second")
  func answerToFirstCopy() throws {
    try RecoveryRig.run(Self.knobs) { rig in
      rig.send(0..<2)
      rig.pass(20)
      rig.acknowledge(2)
      rig.send(2..<22)
      rig.pass(20)
      rig.acknowledge(2, [3..<8])
      #expect(rig.retransmit() == 2..<3)
      // Sooner than anything could come back.
      rig.pass(1)
      rig.acknowledge(22)
      #expect(rig.side.rate.delivered == 22_000)
      // All of them in the round trip between the first copy and the second; not fifteen in a millisecond.
      #expect(rig.side.congestion.deliveryRate <= 20_000 * 50)
    }
  }

  @Test(
    "Two answers to first copies, one after the other: the second span is short both ways, and shorter than any round trip"
  )
  func answersToFirstCopies() throws {
    try RecoveryRig.run(Self.knobs) { rig in
      rig.send(0..<20)
      rig.pass(20)
      rig.acknowledge(0, [3..<12])
      let rate = rig.side.congestion.deliveryRate
      #expect(rig.retransmit(limit: 1000) == 0..<1)
      rig.pass(1)
      rig.acknowledge(1, [3..<12])
      #expect(rig.retransmit(limit: 1000) == 1..<2)
      rig.pass(1)
      rig.acknowledge(2, [3..<12])
      #expect(rig.side.congestion.deliveryRate == rate)
    }
  }

  @Test("A timeout that was none: the window is as it was, and nothing is counted twice")
  func spuriousTimeout() throws {
    try RecoveryRig.run(Self.knobs) { rig in
      rig.send(0..<2)
      rig.pass(20)
      rig.acknowledge(2)
      rig.send(2..<12)
      let window = rig.side.congestion.window
      var action = try rig.expire()
      while action.timer != .retransmission { action = try rig.expire() }
      #expect(rig.side.congestion.window == 1000)
      #expect(rig.retransmit() == 2..<3)
      rig.pass(1)
      rig.acknowledge(4)
      rig.pass(1)
      let result = rig.acknowledge(6)
      #expect(result.isSpurious || rig.side.congestion.phase == .open)
      #expect(rig.side.congestion.window >= window)
      rig.acknowledge(12)
      #expect(rig.side.rate.delivered == 12_000)
      #expect(rig.side.congestion.deliveryRate <= 2_000 * 50 * 102 / 100)
    }
  }

  @Test("Section 3.4: what is sent while there is no more to send says so, until what was in flight is delivered")
  func applicationLimited() throws {
    try RecoveryRig.run(Self.knobs) { rig in
      rig.send(0..<10)
      #expect(rig.records.allSatisfy { !$0.flags.contains(.applicationLimited) })
      rig.pass(20)
      _ = rig.side.acknowledged(
        to: rig.first + 2000, blocks: SACKBlocks(), isBare: true, hasUnsent: false, isStarved: true, in: rig.pool,
        knobs: rig.knobs, now: rig.now)
      #expect(rig.side.rate.isLimited)
      rig.send(10..<12)
      #expect(rig.records.last?.flags.contains(.applicationLimited) == true)
      rig.pass(10)
      rig.acknowledge(10)
      #expect(rig.side.rate.isLimited)
      rig.pass(10)
      rig.acknowledge(11)
      #expect(!rig.side.rate.isLimited)
      rig.send(12..<13)
      #expect(rig.records.last?.flags.contains(.applicationLimited) == false)
    }
  }

  @Test("A sender whose data pass, and that fills the window, has more")
  func windowLimited() throws {
    try RecoveryRig.run(Self.knobs) { rig in
      rig.send(0..<20)
      rig.pass(20)
      _ = rig.side.acknowledged(
        to: rig.first + 1000, blocks: SACKBlocks(), isBare: true, hasUnsent: false, isStarved: true, in: rig.pool,
        knobs: rig.knobs, now: rig.now)
      #expect(!rig.side.rate.isLimited)
    }
  }

  @Test("Where there is no record for it, less is known: no rate")
  func coarse() throws {
    var knobs = Self.knobs
    knobs.recordLimit = 0
    try RecoveryRig.run(knobs) { rig in
      sendSlowly(0..<8, &rig)
      #expect(rig.records.count == 4)
      #expect(rig.records.last?.flags.contains(.rated) == false)
      rig.pass(10)
      rig.acknowledge(8)
      #expect(rig.side.rate.delivered == 8000)
      #expect(rig.side.congestion.deliveryRate <= 8_000 * 100)
    }
  }

  @Test("What SACK tells of and no record can be had for is no delivery of when it is acknowledged")
  func untold() throws {
    var knobs = Self.knobs
    knobs.recordLimit = 0
    try RecoveryRig.run(knobs) { rig in
      let isNoted = rig.side.sent(rig.range(0, 20_000), in: rig.pool, knobs: rig.knobs, now: rig.now)
      #expect(isNoted)
      rig.pass(20)
      rig.acknowledge(0, [2..<4, 6..<8, 10..<18])
      #expect(rig.side.rate.isInDoubt && rig.side.rate.delivered < 12_000)
      let rate = rig.side.congestion.deliveryRate
      rig.pass(20)
      rig.acknowledge(1)
      rig.send(20..<21)
      rig.pass(20)
      // Most of it had arrived 40 ms ago, and not since the last one was sent.
      rig.acknowledge(20)
      #expect(!rig.side.rate.isInDoubt)
      rig.acknowledge(21)
      #expect(rig.side.congestion.deliveryRate == rate)
      rig.send(21..<22)
      rig.pass(20)
      rig.acknowledge(22)
      #expect(rig.side.congestion.deliveryRate <= max(rate, 50_000))
    }
  }

  @Test("A recovery sends by the window: as much as arrives, at the first one segment")
  func recovery() throws {
    try RecoveryRig.run(Self.knobs) { rig in
      rig.send(0..<2)
      rig.pass(20)
      rig.acknowledge(2)
      rig.send(2..<22)
      rig.pass(20)
      rig.acknowledge(2, [3..<6])
      #expect(rig.side.congestion.phase == .recovery)
      // One is lost and three have arrived: 16 in flight, and as many may follow as have arrived.
      #expect(rig.side.inFlight == 16_000)
      #expect(rig.side.allowance == 3000)
      #expect(rig.retransmit() == 2..<3)
      #expect(rig.side.allowance == 2000)
    }
  }

  @Test("Policy can't switch pacing off")
  func pacing() throws {
    var knobs = Self.knobs
    knobs.congestion.isPaced = false
    try RecoveryRig.run(knobs) { rig in
      rig.side.adopt(roundTrip: .milliseconds(40), now: rig.now)
      rig.send(0..<1)
      #expect(rig.side.pacer.rate < 2_000_000)
      rig.side.changed(knobs: RecoveryRig.knobs(.newReno))
      knobs.congestion.algorithm = .cubic
      rig.side.changed(knobs: knobs)
      #expect(rig.side.pacer.rate == Pacer.unlimited)
      rig.acknowledge(1)
    }
  }

  @Test("Spans are rounded up, and as long as can be told")
  func spans() {
    var rate = DeliveryRate()
    rate.restart(now: Instant(nanoseconds: 1_000))
    #expect(rate.mark(now: Instant(nanoseconds: 1_000)).sinceDelivered == 0)
    #expect(rate.mark(now: Instant(nanoseconds: 1_001)).sinceDelivered == 1)
    #expect(rate.mark(now: Instant(nanoseconds: 2_001)).sinceFirstSent == 2)
    #expect(rate.mark(now: Instant(nanoseconds: .max)).sinceDelivered == .max)
    #expect(rate.mark(now: Instant(nanoseconds: 0)).sinceDelivered == 0)
    #expect(rate.mark(now: Instant(nanoseconds: .min)).sinceDelivered <= .max)
  }

  @Test(
    "What was in flight when something was first sent is known, whatever is lost and sent again",
    arguments: 0..<8 as Range<UInt64>)
  func inFlightAtSend(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var compared = 0
    try RecoveryRig.run(RecoveryRig.knobs(.bbr3, window: 100)) { rig in
      var known: [Int: Int] = [:]
      var (sent, acknowledged) = (0, 0)
      for _ in 0..<200 {
        let isWhole = rig.side.lost == 0
        for _ in 0..<Int.random(in: 0...6, using: &random) where rig.side.inFlight < 90_000 {
          rig.send(sent..<sent + 1)
          sent += 1
          if isWhole { known[sent * 1000] = rig.side.inFlight }
        }
        rig.pass(.random(in: 0...3, using: &random))
        if Bool.random(using: &random) { while rig.retransmit() != nil {} }
        acknowledged += acknowledged + 2 < sent ? Int.random(in: 0...2, using: &random) : 0
        let start = acknowledged + Int.random(in: 1...4, using: &random)
        let end = start + Int.random(in: 1...3, using: &random)
        rig.acknowledge(acknowledged, end <= sent ? [start..<end] : [])
        for record in rig.records where record.flags.contains(.inOrder) && !record.flags.contains(.retransmitted) {
          guard record.flags.contains(.rated), !record.flags.contains(.sacked) else { continue }
          let end = record.range.end
          let told = rig.side.inFlightAtSend(
            record.flags, end: end, mark: record.mark, lost: 0, delivered: rig.side.rate.delivered)
          #expect(told == known[rig.place(end)])
          compared += 1
        }
      }
    }
    #expect(compared > 100)
  }

  @Test(
    "Losses are told with what lies beside them: neighbours are one range")
  func lostRanges() throws {
    try RecoveryRig.run(RecoveryRig.knobs(.bbr3, window: 100)) { rig in
      func ranges() -> UInt8 {
        guard case .bbr3(let model) = rig.side.congestion.model else { return 0 }
        return model.lostRanges
      }
      rig.send(0..<40)
      rig.pass(20)
      rig.acknowledge(0, [3..<8])
      #expect(rig.side.lost == 3000 && ranges() == 1)
      #expect(rig.retransmit() == 0..<3)
      rig.acknowledge(0, [10..<14, 3..<8])
      #expect(rig.side.lost == 2000 && ranges() == 2)
      rig.acknowledge(0, [15..<16, 17..<18, 10..<14])
      rig.acknowledge(0, [19..<30, 17..<18, 15..<16])
      #expect(rig.side.lost == 5000 && ranges() == 5)
      #expect(rig.side.rate.lost(since: 0) == 8000 / 256 * 256)
      rig.pass(20)
      rig.acknowledge(40)
    }
  }

  @Test("An algorithm that goes by rates does not take the marks of before it for its own")
  func change() throws {
    try RecoveryRig.run(Self.knobs) { rig in
      for flight in 0..<5 {
        rig.send(flight * 20..<flight * 20 + 20)
        rig.pass(20)
        rig.acknowledge(flight * 20 + 20)
      }
      rig.send(100..<110)
      rig.knobs = RecoveryRig.knobs(.cubic)
      rig.side.changed(knobs: rig.knobs)
      rig.knobs = Self.knobs
      rig.side.changed(knobs: rig.knobs)
      rig.pass(20)
      rig.acknowledge(102)
      rig.send(110..<115)
      rig.pass(20)
      rig.acknowledge(112)
      rig.send(115..<120)
      rig.pass(20)
      rig.acknowledge(120)
      #expect(rig.side.congestion.deliveryRate > 0 && rig.side.congestion.deliveryRate <= 1_000_000)
    }
  }
}
