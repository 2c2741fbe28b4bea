// SPDX-License-Identifier: Apache-2.0

import Arena
import CongestionControl
import LossRecovery
import Testing
import Timekeeping
import Wire

@Suite("Reordering and losses that were none: RFC 8985, 2883")
struct ReorderingTests {
  /// A side that knows a round trip of 40 ms and has ten more segments, 1 to 10, in flight.
  private func warm(_ rig: inout RecoveryRig) {
    rig.send(0..<1)
    rig.pass(40)
    rig.acknowledge(1)
    rig.send(1..<11)
    rig.pass(40)
  }

  @Test("RFC 8985, section 6.2: who was overtaken by less than the threshold is lost a quarter of a round trip later")
  func overtaken() throws {
    try RecoveryRig.run(RecoveryRig.knobs()) { rig in
      warm(&rig)
      #expect(rig.acknowledge(1, [2..<3]).lost == 0)
      let expired = try rig.expire()
      #expect(expired.timer == .reordering)
      #expect(abs(expired.after.nanoseconds - 10_000_000) < 100_000)
      #expect(expired.action == .send)
      #expect(rig.retransmit() == 1..<2)
      #expect(rig.side.congestion.phase == .recovery)
    }
  }

  @Test("Once the path is seen to reorder, the number of duplicates proves nothing, and time decides")
  func reordering() throws {
    try RecoveryRig.run(RecoveryRig.knobs()) { rig in
      warm(&rig)
      rig.acknowledge(1, [2..<4])
      // 1 comes late: the path reorders.
      rig.acknowledge(4)
      for end in 6...10 { #expect(rig.acknowledge(4, [5..<end]).lost == 0) }
      let expired = try rig.expire()
      #expect(expired.timer == .reordering)
      #expect(expired.after > .milliseconds(9) && expired.after < .milliseconds(11))
      #expect(rig.retransmit() == 4..<5)
    }
  }

  @Test(
    "RFC 8985, section 6.2, step 4: each round trip with a D-SACK widens the window by a quarter, up to a round trip")
  func widening() throws {
    try RecoveryRig.run(RecoveryRig.knobs(window: 100)) { rig in
      warm(&rig)
      rig.acknowledge(1, [2..<4])
      rig.acknowledge(4)
      for quarters in 2...6 {
        rig.acknowledge(rig.place(rig.side.unacknowledged) / 1000, [0..<1])
        rig.acknowledge(rig.place(rig.side.next) / 1000)
        let begin = rig.place(rig.side.next) / 1000
        rig.send(begin..<begin + 4)
        rig.pass(40)
        rig.acknowledge(begin, [begin + 1..<begin + 2])
        let due = try #require(rig.side.nextDeadline(knobs: rig.knobs))
        #expect(due.kind == .reordering)
        let expected = Double(min(quarters, 4)) * 10
        #expect(abs(Double((due.due - rig.now).nanoseconds) / 1e6 - expected) < 1)
        rig.acknowledge(begin + 4)
      }
    }
  }

  @Test("RFC 2883: when all that was sent again arrived twice, the loss is taken back, window, threshold and all")
  func inVain() throws {
    try RecoveryRig.run(RecoveryRig.knobs()) { rig in
      rig.send(0..<20)
      rig.pass(40)
      let before = (rig.side.congestion.window, rig.side.congestion.slowStartThreshold)
      rig.acknowledge(0, [2..<12])
      #expect(rig.retransmitAll() == [0..<1, 1..<2] || rig.side.lost == 0 || rig.side.lost == 1000)
      while rig.side.lost > 0 {
        rig.acknowledge(0, [2..<rig.place(rig.records[1].range.end) / 1000 + 1])
        _ = rig.retransmitAll()
      }
      #expect(rig.side.congestion.window == 10_000)
      // The first copies arrive, then the second ones.
      rig.acknowledge(15)
      #expect(!rig.acknowledge(15, [0..<1]).isSpurious)
      #expect(rig.acknowledge(15, [1..<2]).isSpurious)
      #expect(rig.side.congestion.window >= before.0)
      #expect(rig.side.congestion.slowStartThreshold == before.1)
      #expect(rig.side.congestion.phase == .open)
      // Once.
      #expect(!rig.acknowledge(15, [1..<2]).isSpurious)
    }
  }

  @Test("A retransmission that is lost is found by time, without a timeout")
  func lostRetransmission() throws {
    try RecoveryRig.run(RecoveryRig.knobs()) { rig in
      warm(&rig)
      rig.acknowledge(1, [2..<6])
      #expect(rig.retransmit() == 1..<2)
      rig.pass(1)
      rig.send(11..<13)
      rig.pass(40)
      // What was sent after it is there; it is not.
      rig.acknowledge(1, [2..<12])
      var expired = 0
      while rig.side.lost == 0, expired < 3 {
        let next = try rig.expire()
        #expect(next.timer == .reordering)
        expired += 1
      }
      #expect(rig.retransmit(limit: 1000) == 1..<2)
    }
  }

  @Test(
    "RFC 8985, section 6.2, step 2: an answer that comes sooner than any before is to the first copy, and says nothing of time"
  )
  func answerToFirst() throws {
    try RecoveryRig.run(RecoveryRig.knobs()) { rig in
      warm(&rig)
      rig.acknowledge(1, [2..<6])
      #expect(rig.retransmit() == 1..<2)
      rig.pass(1)
      // 1 had only been late. What was sent before its second copy is not late for that.
      #expect(rig.acknowledge(6).lost == 0)
      #expect(rig.side.lost == 0)
      #expect(rig.side.nextDeadline(knobs: rig.knobs)?.kind != .reordering)
    }
  }

  @Test("Karn: nothing sent twice gives a round trip, and what waited behind a hole neither")
  func karn() throws {
    try RecoveryRig.run(RecoveryRig.knobs()) { rig in
      warm(&rig)
      let sample = try #require(rig.acknowledge(1, [2..<5]).roundTrip)
      #expect(sample <= .milliseconds(41))
      _ = rig.retransmitAll()
      rig.pass(300)
      #expect(rig.acknowledge(2, [3..<5]).roundTrip == nil)
    }
    try RecoveryRig.run(RecoveryRig.knobs(), sack: false) { rig in
      warm(&rig)
      for _ in 0..<3 { rig.acknowledge(1) }
      _ = rig.retransmitAll()
      rig.pass(300)
      #expect(rig.acknowledge(11).roundTrip == nil)
    }
  }
}
