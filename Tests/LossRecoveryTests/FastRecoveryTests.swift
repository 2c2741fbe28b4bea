// SPDX-License-Identifier: Apache-2.0

import Arena
import CongestionControl
import LossRecovery
import Testing
import Timekeeping
import Wire

@Suite("Fast recovery: RFC 6675, 6582, 9937")
struct FastRecoveryTests {
  @Test(
    "FIG. 12: a segment is sent again at exactly the duplicate that the threshold says",
    arguments: [UInt8(0), 1, 2, 3, 5],
    [true, false])
  func threshold(threshold: UInt8, sack: Bool) throws {
    for style in [RecoveryStyle.full, .doublingTimer] {
      try RecoveryRig.run(RecoveryRig.knobs(style: style, threshold: threshold), sack: sack) { rig in
        rig.send(0..<10)
        rig.pass(10)
        rig.acknowledge(2)
        let needed = max(Int(threshold), 1)
        for duplicate in 1...needed {
          let result = rig.acknowledge(2, sack ? [3..<3 + duplicate] : [])
          #expect(result.isDuplicate)
          #expect(result.beganRecovery == (duplicate == needed))
          #expect(rig.retransmit() == (duplicate == needed ? 2..<3 : nil))
        }
        // And once only.
        #expect(rig.acknowledge(2, sack ? [3..<4 + needed] : []).isDuplicate)
        #expect(rig.retransmit() == nil)
      }
    }
  }

  @Test("RFC 8257, section 3.3: a round ends with the first of what was sent in it, and so lasts a whole round trip")
  func rounds() throws {
    try RecoveryRig.run(RecoveryRig.knobs(.vegas, window: 10)) { rig in
      rig.send(0..<10)
      rig.pass(10)
      var ends: [Int] = []
      for number in 1...31 {
        let before = rig.roundEnd
        rig.acknowledge(number)
        if rig.roundEnd != before { ends.append(number) }
        rig.send(number + 9..<number + 10)
      }
      #expect(ends == [1, 11, 21, 31])
    }
  }

  @Test("The end of a recovery begins a round")
  func roundAfterRecovery() throws {
    try RecoveryRig.run(RecoveryRig.knobs(.vegas)) { rig in
      rig.send(0..<20)
      rig.pass(10)
      rig.acknowledge(1)
      #expect(rig.roundEnd == 20_000)
      #expect(rig.acknowledge(1, [2..<5]).beganRecovery)
      #expect(rig.retransmitAll() == [1..<2])
      rig.send(20..<25)
      // All that was in flight at the loss, which is where the round ends, and not beyond it.
      #expect(rig.acknowledge(20).endedRecovery)
      #expect(rig.roundEnd == 25_000)
    }
  }

  @Test("RFC 6675, section 4: more than two segments above make a hole a loss, whatever the number of acknowledgments")
  func octetsAbove() throws {
    try RecoveryRig.run(RecoveryRig.knobs()) { rig in
      rig.send(0..<20)
      rig.pass(10)
      // One acknowledgment for a merged train; two holes below it.
      let result = rig.acknowledge(1, [8..<12, 3..<5])
      #expect(result.lost == 5000)
      #expect(rig.side.inFlight == 8000)
      #expect(rig.side.congestion.slowStartThreshold == 9500)
      #expect(rig.side.congestion.phase == .recovery)
    }
  }

  @Test("RFC 6675, section 5: holes are sent again in order, as RFC 9937 lets them; the recovery ends at its point")
  func walk() throws {
    try RecoveryRig.run(RecoveryRig.knobs()) { rig in
      rig.send(0..<20)
      rig.pass(10)
      // Segments 0, 1 and 7 are lost.
      #expect(!rig.acknowledge(0, [2..<3]).beganRecovery)
      #expect(!rig.acknowledge(0, [2..<4]).beganRecovery)
      #expect(rig.acknowledge(0, [2..<5]).beganRecovery)
      #expect(rig.side.congestion.slowStartThreshold == 10_000)
      var sent: [Int] = []
      for segment in 5..<20 where segment != 7 {
        if let range = rig.retransmit() { sent += Array(range) }
        rig.acknowledge(0, segment < 7 ? [2..<segment + 1] : [8..<segment + 1, 2..<7])
      }
      while let range = rig.retransmit() { sent += Array(range) }
      #expect(sent == [0, 1, 7])
      rig.pass(10)
      #expect(rig.acknowledge(1, [8..<20, 2..<7]).acknowledged == 1000)
      #expect(rig.acknowledge(7, [8..<20]).acknowledged == 6000)
      let last = rig.acknowledge(20)
      #expect(last.endedRecovery)
      #expect(last.acknowledged == 13_000)
      #expect(last.delivered == 1000)
      #expect(rig.side.congestion.phase == .open)
      #expect(rig.side.congestion.window >= 10_000 && rig.side.congestion.window <= 12_000)
    }
  }

  @Test(
    "RFC 6582, section 3.2: without SACK each partial acknowledgment shows the next hole; three losses, three round trips"
  )
  func newReno() throws {
    try RecoveryRig.run(RecoveryRig.knobs(), sack: false) { rig in
      rig.send(0..<20)
      rig.pass(10)
      for _ in 0..<3 { rig.acknowledge(0) }
      #expect(rig.retransmitAll() == [0..<1])
      for _ in 0..<14 { rig.acknowledge(0) }
      #expect(rig.side.inFlight == 20_000 - 17_000)
      // 0 is repaired; 5 is missing.
      var result = rig.acknowledge(5)
      #expect(result.lost == 1000 && !result.endedRecovery)
      #expect(rig.retransmitAll() == [5..<6])
      result = rig.acknowledge(11)
      #expect(rig.retransmitAll() == [11..<12])
      #expect(result.roundTrip == nil)
      #expect(rig.acknowledge(20).endedRecovery)
      #expect(rig.side.congestion.slowStartThreshold == 10_000)
    }
  }

  @Test("RFC 3042: each of the first two duplicates lets a new segment go", arguments: [true, false])
  func limitedTransmit(sack: Bool) throws {
    try RecoveryRig.run(RecoveryRig.knobs(), sack: sack) { rig in
      rig.send(0..<20)
      #expect(rig.side.allowance == 0)
      rig.pass(10)
      for duplicate in 1...2 {
        rig.acknowledge(0, sack ? [1..<1 + duplicate] : [])
        #expect(rig.side.allowance == duplicate * 1000)
        #expect(rig.side.congestion.window == 20_000)
      }
    }
  }

  @Test("Duplicates that carry data, or change the window, do not count without SACK (RFC 5681, section 2)")
  func notDuplicates() throws {
    try RecoveryRig.run(RecoveryRig.knobs(), sack: false) { rig in
      rig.send(0..<10)
      for _ in 0..<10 { #expect(!rig.acknowledge(0, isBare: false).isDuplicate) }
      #expect(rig.side.lost == 0)
    }
  }

  @Test("RFC 3168, section 6.1.2: a mark reduces once for a window of data, together with a loss in it")
  func mark() throws {
    try RecoveryRig.run(RecoveryRig.knobs()) { rig in
      #expect(rig.side.congestionExperienced(now: rig.now) == false)
      rig.send(0..<20)
      rig.pass(10)
      #expect(rig.side.congestionExperienced(now: rig.now) == true)
      #expect(rig.side.congestion.window == 10_000)
      rig.acknowledge(10)
      #expect(rig.side.congestionExperienced(now: rig.now) == false)
      rig.acknowledge(10, [14..<20])
      #expect(rig.side.congestion.phase == .recovery)
      #expect(rig.side.congestion.window == 10_000)
      #expect(rig.retransmit()?.lowerBound == 10)
      rig.acknowledge(20)
      rig.send(20..<25)
      #expect(rig.side.congestionExperienced(now: rig.now) == true)
      rig.acknowledge(25)
      #expect(rig.side.congestion.phase == .open)
    }
  }

  @Test("What is lost while another loss is recovered, and was sent after it, is a loss of its own")
  func consecutive() throws {
    try RecoveryRig.run(RecoveryRig.knobs()) { rig in
      rig.send(0..<20)
      rig.pass(10)
      rig.acknowledge(0, [1..<15])
      _ = rig.retransmitAll()
      rig.send(20..<30)
      rig.pass(10)
      // 20 and 21 are lost as well; seen before the first recovery is over.
      rig.acknowledge(0, [22..<30, 1..<20])
      #expect(rig.side.congestion.slowStartThreshold == 10_000)
      let result = rig.acknowledge(20, [22..<30])
      #expect(result.endedRecovery && result.beganRecovery)
      #expect(rig.side.congestion.slowStartThreshold == 5000)
      #expect(rig.side.congestion.phase == .recovery)
    }
  }

  @Test(
    "Marks in the sequence space do not become true again after it went round",
    arguments: [RecoveryStyle.full, .doublingTimer])
  func around(style: RecoveryStyle) throws {
    try RecoveryRig.run(RecoveryRig.knobs(.none, style: style)) { rig in
      rig.send(0..<10)
      rig.pass(10)
      rig.acknowledge(0, [1..<10])
      rig.acknowledge(10)
      for step in 0..<5 {
        let begin = 10_000 + step * 600_000_000
        #expect(
          rig.side.sent(rig.range(begin, begin + 600_000_000), in: rig.pool, knobs: rig.knobs, now: rig.now) == true)
        rig.pass(10)
        rig.acknowledge(10 + (step + 1) * 600_000)
      }
      let first = 10 + 5 * 600_000
      rig.send(first..<first + 10)
      #expect(rig.acknowledge(first + 1).lost == 0)
      #expect(rig.acknowledge(first + 1, [first + 2..<first + 8]).beganRecovery)
    }
  }

  @Test("A hole is sent again in one piece if it may be, else in whole segments")
  func pieces() throws {
    try RecoveryRig.run(RecoveryRig.knobs(.none)) { rig in
      rig.send(0..<30)
      rig.pass(10)
      rig.acknowledge(0, [10..<20])
      #expect(rig.side.nextToRetransmit(limit: 999, in: rig.pool) == nil)
      #expect(rig.retransmit(limit: 3500) == 0..<3)
      #expect(rig.retransmit(limit: 65_000) == 3..<10)
      #expect(rig.retransmit(limit: 65_000) == nil)
    }
  }

  @Test(
    "A side whose congestion control is none, and whose timer only doubles, hears of losses without a smaller window")
  func unaffected() throws {
    try RecoveryRig.run(RecoveryRig.knobs(.cubic, style: .doublingTimer)) { rig in
      let window = rig.side.congestion.window
      rig.send(0..<20)
      rig.pass(10)
      rig.acknowledge(0, [3..<10])
      #expect(rig.retransmit() == 0..<3)
      #expect(rig.side.congestion.window >= window)
      #expect(rig.side.congestion.phase == .open)
    }
  }

  @Test("What arrives behind a hole counts for what the path carries: Westwood+ gives nothing up for long recoveries")
  func deliveredInRecovery() throws {
    try RecoveryRig.run(RecoveryRig.knobs(.westwood)) { rig in
      var sent = 0
      for _ in 0..<40 {
        rig.send(sent..<sent + 20)
        sent += 20
        rig.pass(100)
        rig.acknowledge(sent)
      }
      for _ in 0..<20 {
        let hole = sent
        for _ in 0..<5 {
          rig.send(sent..<sent + 20)
          sent += 20
          rig.pass(100)
          rig.acknowledge(hole, [hole + 1..<sent])
        }
        _ = rig.retransmitAll()
        rig.pass(100)
        rig.acknowledge(sent)
      }
      #expect(rig.side.congestion.window > 14_000)
    }
  }

  @Test(
    "A receiver is not believed what was not sent, nor what contradicts itself; the pool does not notice",
    arguments: 0..<8)
  func hostileBlocks(kind: Int) throws {
    try RecoveryRig.run(RecoveryRig.knobs()) { rig in
      rig.send(0..<10)
      rig.acknowledge(2)
      let before = rig.records.count
      let blocks: [Range<Int>]
      switch kind {
      case 0: blocks = [8..<11]
      case 1: blocks = [2..<5]
      case 2: blocks = [1..<4]
      case 3: blocks = [10..<12]
      case 4: blocks = [4..<4]
      case 5: blocks = [4..<4 + 2_000_000]
      case 6: blocks = [0..<2]
      default: blocks = [-1_000_000 ..< -5]
      }
      let result = rig.acknowledge(2, blocks)
      #expect(result.sacked == 0)
      #expect(rig.records.count == before)
      for number in [-1, 1, 11, 2_000_000] {
        #expect(rig.acknowledge(number, [5..<8]).isIgnored)
      }
      #expect(rig.side.inFlight == 8000)
    }
  }
}
