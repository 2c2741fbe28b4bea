// SPDX-License-Identifier: Apache-2.0

import Arena
import CongestionControl
import LossRecovery
import Testing
import Timekeeping
import Wire

@Suite("Timers: RFC 6298, 8985, 5682")
struct TimerTests {
  @Test("R33: with a doubling timer it is sent again after r, 2r, 4r ..., a given number of times, then given up")
  func doubling() throws {
    var knobs = RecoveryRig.knobs(style: .doublingTimer)
    knobs.attempts = 5
    knobs.congestion.maximumTimeout = .seconds(2)
    try RecoveryRig.run(knobs) { rig in
      let window = rig.side.congestion.window
      rig.send(0..<1)
      rig.pass(20)
      rig.acknowledge(1)
      rig.send(1..<4)
      for milliseconds in [200, 400, 800, 1600, 2000] {
        let expired = try rig.expire()
        #expect(expired.timer == .retransmission)
        #expect(expired.action == .send)
        #expect(abs(expired.after.nanoseconds - Int64(milliseconds) * 1_000_000) < 10_000)
        #expect(rig.retransmit() == 1..<2)
        #expect(rig.retransmit() == nil)
      }
      let last = try rig.expire()
      #expect(last.action == .gaveUp)
      #expect(rig.side.congestion.window >= window)
      // Progress begins anew.
      rig.acknowledge(2)
      #expect(rig.side.backoff == 0)
      let anew = try rig.expire()
      #expect(anew.after == .milliseconds(200))
    }
  }

  @Test(
    "RFC 6298, section 5: the timer runs from the first of what is outstanding, anew with progress, and not when all is acknowledged"
  )
  func restarts() throws {
    try RecoveryRig.run(RecoveryRig.knobs(), sack: false) { rig in
      #expect(rig.side.nextDeadline(knobs: rig.knobs) == nil)
      rig.send(0..<1)
      rig.pass(100)
      rig.send(1..<3)
      let first = try #require(rig.side.nextDeadline(knobs: rig.knobs))
      #expect(first.kind == .retransmission)
      #expect(abs((first.due - rig.now).nanoseconds - 900_000_000) < 10_000)
      rig.acknowledge(1)
      let second = try #require(rig.side.nextDeadline(knobs: rig.knobs))
      // One sample of 100 ms: RTO = 100 + 4 * 50 ms.
      #expect(abs((second.due - rig.now).nanoseconds - 300_000_000) < 100_000)
      rig.acknowledge(1)
      #expect(rig.side.nextDeadline(knobs: rig.knobs) == second)
      rig.acknowledge(3)
      #expect(rig.side.nextDeadline(knobs: rig.knobs) == nil)
    }
  }

  @Test(
    "RFC 5681: a timeout takes all for lost, and sends from one segment on; the next row of timeouts does not reduce again"
  )
  func timeout() throws {
    try RecoveryRig.run(RecoveryRig.knobs(), sack: false) { rig in
      rig.send(0..<20)
      try rig.expire(.retransmission)
      #expect(rig.side.inFlight == 0)
      #expect(rig.side.lost == 20_000)
      #expect(rig.side.congestion.window == 1000)
      #expect(rig.retransmitAll() == [0..<1])
      try rig.expire()
      #expect(rig.side.congestion.slowStartThreshold == 10_000)
      #expect(rig.retransmitAll() == [0..<1])
      // No F-RTO after the second: slow start through what was lost.
      rig.acknowledge(1)
      #expect(rig.retransmitAll() == [1..<3])
      rig.acknowledge(3)
      #expect(rig.retransmitAll() == [3..<6])
      #expect(rig.acknowledge(20).endedRecovery)
    }
  }

  @Test(
    "RFC 8985, section 7: a lost tail is found by a probe after two round trips, not by a timeout",
    arguments: [true, false])
  func probe(hasUnsent: Bool) throws {
    try RecoveryRig.run(RecoveryRig.knobs()) { rig in
      rig.send(0..<1)
      rig.pass(50)
      rig.acknowledge(1)
      rig.send(1..<6)
      rig.pass(50)
      rig.acknowledge(3)
      // 3, 4, 5 are lost.
      let expired = try rig.expire(hasUnsent: hasUnsent)
      #expect(expired.timer == .probe)
      #expect(abs(expired.after.nanoseconds - 100_000_000) < 1_000_000)
      #expect(rig.side.allowance >= 1000)
      if hasUnsent {
        #expect(rig.retransmit() == nil)
        rig.send(6..<7)
      } else {
        #expect(rig.retransmit() == 5..<6)
      }
      #expect(rig.side.nextDeadline(knobs: rig.knobs)?.kind == .retransmission)
      rig.pass(51)
      // The answer shows the loss; by time, since one SACKed segment is below the threshold.
      _ = rig.acknowledge(3, hasUnsent ? [6..<7] : [5..<6])
      if rig.side.congestion.phase == .open {
        let reordered = try rig.expire()
        #expect(reordered.timer == .reordering)
        #expect(reordered.after <= .milliseconds(13))
      }
      #expect(rig.side.congestion.phase == .recovery)
      #expect(rig.retransmit()?.lowerBound == 3)
    }
  }

  @Test(
    "RFC 8985, section 7.2: for a single segment the receiver's delayed acknowledgment is waited for, but not beyond the timeout"
  )
  func probeOfOne() throws {
    for (minimum, expected) in [(200, 200), (1000, 300)] as [(Int64, Int64)] {
      var knobs = RecoveryRig.knobs()
      knobs.congestion.minimumTimeout = .milliseconds(minimum)
      try RecoveryRig.run(knobs) { rig in
        rig.send(0..<1)
        rig.pass(50)
        rig.acknowledge(1)
        rig.send(1..<2)
        let expired = try rig.expire(.probe)
        #expect(abs(expired.after.nanoseconds - expected * 1_000_000) < 50_000)
        #expect(rig.retransmit() == 1..<2)
      }
    }
  }

  @Test("RFC 7661: after minutes of silence the window is smaller, but not below an initial one")
  func silence() throws {
    for seconds in [200, 400, 4000] as [Int64] {
      try RecoveryRig.run(RecoveryRig.knobs(window: 40)) { rig in
        rig.send(0..<39)
        rig.pass(10)
        rig.acknowledge(1)
        rig.acknowledge(39, hasUnsent: false)
        let before = rig.side.congestion.window
        rig.pass(seconds * 1000)
        rig.send(39..<40)
        let expected = seconds < 300 ? before : seconds < 600 ? before / 2 : 10_000
        #expect(rig.side.congestion.window == expected)
      }
    }
  }

  @Test(
    "RFC 8985, section 7.4: a loss that a probe made good is told to the congestion control; a probe in vain is not")
  func probeAnswers() throws {
    for isInVain in [false, true] {
      try RecoveryRig.run(RecoveryRig.knobs()) { rig in
        rig.send(0..<10)
        rig.pass(50)
        rig.acknowledge(9)
        let window = rig.side.congestion.window
        try rig.expire(.probe)
        #expect(rig.retransmit() == 9..<10)
        rig.acknowledge(10)
        rig.send(10..<11)
        #expect(rig.acknowledge(11, isInVain ? [9..<10] : []).sawDSACK == isInVain)
        #expect((rig.side.congestion.window < window) == !isInVain)
        #expect(rig.side.congestion.phase == .open)
      }
    }
  }

  @Test("RFC 5682, section 3.1: with SACK, an acknowledgment of what was sent once takes a timeout back")
  func spuriousTimeout() throws {
    try RecoveryRig.run(RecoveryRig.knobs()) { rig in
      rig.send(0..<20)
      rig.pass(10)
      rig.acknowledge(1)
      let before = (rig.side.congestion.window, rig.side.congestion.slowStartThreshold)
      // The peer stands still: probe, then timeout.
      try rig.expire(.probe)
      _ = rig.retransmit()
      try rig.expire(.retransmission)
      #expect(rig.retransmitAll() == [1..<2])
      #expect(rig.side.congestion.window == 1000)
      // It goes on, and answers the first transmissions.
      let result = rig.acknowledge(3)
      #expect(result.isSpurious)
      #expect(rig.side.lost == 0)
      #expect(rig.retransmit() == nil)
      #expect(rig.side.congestion.window >= before.0)
      #expect(rig.side.congestion.slowStartThreshold == before.1)
      #expect(rig.side.congestion.phase == .open)
    }
  }

  @Test("RFC 5682, step 2a: what acknowledges everything at once does not show that the timeout was wrong")
  func undecided() throws {
    try RecoveryRig.run(RecoveryRig.knobs()) { rig in
      rig.send(0..<10)
      try rig.expire(.probe)
      _ = rig.retransmit()
      try rig.expire(.retransmission)
      #expect(rig.retransmitAll() == [0..<1])
      let result = rig.acknowledge(10)
      #expect(result.endedRecovery && !result.isSpurious)
      #expect(rig.side.congestion.slowStartThreshold == 5000)
      // The receiver says that it had had it: then it was.
      #expect(rig.acknowledge(10, [0..<1]).isSpurious)
    }
  }

  @Test("What was sent again for an earlier loss does not count for a timeout that comes later")
  func undoCounts() throws {
    try RecoveryRig.run(RecoveryRig.knobs()) { rig in
      rig.send(0..<20)
      rig.pass(10)
      rig.acknowledge(0, [1..<10])
      #expect(rig.retransmit() == 0..<1)
      rig.acknowledge(20)
      rig.send(20..<23)
      try rig.expire(.probe)
      try rig.expire(.retransmission)
      #expect(rig.retransmitAll() == [20..<21])
      rig.acknowledge(21, hasUnsent: false)
      // One segment was sent again since the timeout; it arrived twice.
      #expect(rig.acknowledge(21, [20..<21]).isSpurious)
    }
  }

  @Test(
    "RFC 5682, section 2.1: without SACK the second acknowledgment that moves on takes it back; new data go out in between"
  )
  func basicFRTO() throws {
    for isSpurious in [true, false] {
      try RecoveryRig.run(RecoveryRig.knobs(), sack: false) { rig in
        rig.send(0..<10)
        try rig.expire()
        #expect(rig.retransmitAll() == [0..<1])
        #expect(!rig.acknowledge(1).isSpurious)
        #expect(rig.retransmit() == nil)
        #expect(rig.side.allowance == 2000)
        rig.send(10..<12)
        if isSpurious {
          #expect(rig.acknowledge(2).isSpurious)
          #expect(rig.side.congestion.window >= 20_000)
          #expect(rig.side.lost == 0)
        } else {
          #expect(!rig.acknowledge(1).isSpurious)
          #expect(rig.retransmitAll().first?.lowerBound == 1)
          #expect(rig.side.congestion.phase == .loss)
        }
      }
    }
  }

  @Test("A timeout that is real is not taken back: everything is sent again in slow start")
  func realTimeout() throws {
    try RecoveryRig.run(RecoveryRig.knobs()) { rig in
      rig.send(0..<10)
      try rig.expire(.probe)
      _ = rig.retransmit()
      try rig.expire()
      #expect(rig.retransmitAll() == [0..<1])
      #expect(!rig.acknowledge(1, hasUnsent: false).isSpurious)
      #expect(rig.retransmitAll().first?.lowerBound == 1)
      #expect(rig.side.congestion.phase == .loss)
    }
  }

  @Test("RFC 2018, section 8: a receiver that has taken back what it SACKed gets it again, by a timeout")
  func reneging() throws {
    try RecoveryRig.run(RecoveryRig.knobs()) { rig in
      rig.send(0..<10)
      rig.pass(10)
      rig.acknowledge(0, [2..<10])
      #expect(rig.retransmit() == 0..<2)
      rig.pass(10)
      // It has 0 and 1 now, and should have all.
      rig.acknowledge(2)
      #expect(rig.side.inFlight == 0)
      #expect(rig.retransmit() == nil)
      try rig.expire(.retransmission)
      #expect(rig.side.lost == 8000)
      #expect(rig.retransmit()?.lowerBound == 2)
      // Not taken back because of what had been SACKed before.
      #expect(!rig.acknowledge(5).isSpurious)
    }
  }

  @Test("Danger 52: after a stop of the whole process a timer is put off once, so that what waits is read first")
  func stall() throws {
    try RecoveryRig.run(RecoveryRig.knobs()) { rig in
      rig.send(0..<10)
      rig.pass(10)
      rig.acknowledge(1)
      let window = rig.side.congestion.window
      rig.pass(5000)
      #expect(rig.side.timerExpired(hasUnsent: false, in: rig.pool, knobs: rig.knobs, now: rig.now) == .nothing)
      #expect(rig.side.lost == 0)
      #expect(rig.side.nextDeadline(knobs: rig.knobs)?.due == rig.now + .milliseconds(10))
      rig.acknowledge(10)
      #expect(rig.side.nextDeadline(knobs: rig.knobs) == nil)
      #expect(rig.side.congestion.window >= window)
    }
    // And if nothing waited, it fires.
    try RecoveryRig.run(RecoveryRig.knobs(), sack: false) { rig in
      rig.send(0..<10)
      rig.pass(5000)
      #expect(rig.side.timerExpired(hasUnsent: false, in: rig.pool, knobs: rig.knobs, now: rig.now) == .nothing)
      rig.pass(1000)
      #expect(rig.side.timerExpired(hasUnsent: false, in: rig.pool, knobs: rig.knobs, now: rig.now) == .send)
      #expect(rig.side.lost == 10_000)
    }
  }

  @Test("A timer that is not due does nothing")
  func early() throws {
    try RecoveryRig.run { rig in
      #expect(rig.side.timerExpired(hasUnsent: true, in: rig.pool, knobs: rig.knobs, now: rig.now) == .nothing)
      rig.send(0..<10)
      #expect(rig.side.timerExpired(hasUnsent: true, in: rig.pool, knobs: rig.knobs, now: rig.now) == .nothing)
    }
  }

  @Test("After a timeout what was sent before it gives no sample: the answer may be to what was sent again")
  func sampleAfterTimeout() throws {
    try RecoveryRig.run(RecoveryRig.knobs()) { rig in
      rig.send(0..<1)
      rig.pass(10)
      rig.acknowledge(1)
      let before = rig.side.roundTrip.smoothed
      rig.send(1..<6)
      while try rig.expire().timer != .retransmission {}
      #expect(rig.retransmit(limit: 1000) == 1..<2)
      rig.pass(100)
      #expect(rig.acknowledge(1, [3..<5]).roundTrip == nil)
      #expect(rig.side.roundTrip.smoothed == before)
    }
  }
}
