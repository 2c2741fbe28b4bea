// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import Testing
import Timekeeping

@Suite("NewReno: RFC 5681, 3465, 6928")
struct NewRenoTests {
  private let segment = Sender.segment

  @Test(
    "RFC 6928, section 2: the initial window is min(10 * SMSS, max(2 * SMSS, 14600))",
    arguments: [
      (536, 5360), (1000, 10000), (1448, 14480), (1460, 14600), (2190, 14600), (8960, 17920), (65535, 131_070),
    ])
  func initialWindow(segment: Int, window: Int) {
    #expect(CongestionControl(knobs: CongestionKnobs(), segmentSize: segment).window == window)
  }

  @Test("The initial window may be any number of segments", arguments: [UInt16(1), 3, 10, 700, .max])
  func initialWindowKnob(segments: UInt16) {
    let control = CongestionControl(knobs: Sender.knobs(.newReno, window: segments), segmentSize: 1000)
    #expect(control.window == Int(segments) * 1000)
  }

  @Test("Who takes over from another sender goes on with what that had in flight, and never with less than he has")
  func adoption() {
    var control = CongestionControl(knobs: Sender.knobs(.newReno, window: 10), segmentSize: 1000)
    control.adopted(inFlight: 37_000)
    #expect(control.window == 37_000)
    control.adopted(inFlight: 5000)
    #expect(control.window == 37_000)
    control.lossDetected(inFlight: 37_000, now: Instant(nanoseconds: 0))
    let reduced = control.window
    control.adopted(inFlight: 37_000)
    #expect(control.window == reduced)
  }

  @Test("RFC 3465, section 2.2: slow start counts bytes, and no more than L segments of an acknowledgment")
  func slowStart() {
    var sender = Sender(Sender.knobs(.newReno))
    sender.acknowledge(1)
    #expect(sender.control.window == 10_001)
    sender.acknowledge(2000)
    #expect(sender.control.window == 12_001)
    sender.acknowledge(9000)
    #expect(sender.control.window == 14_001)
    var knobs = Sender.knobs(.newReno)
    knobs.byteCountingLimit = 0
    var unlimited = Sender(knobs)
    unlimited.acknowledge(9000)
    #expect(unlimited.control.window == 19_000)
  }

  @Test("Splitting an acknowledgment gains nothing: growth is by bytes (danger 46)")
  func splitting() {
    var whole = Sender(Sender.knobs(.newReno))
    var split = whole
    whole.acknowledge(2000)
    for _ in 0..<2000 { split.acknowledge(1) }
    #expect(whole.control.window == split.control.window)
  }

  @Test("RFC 5681, section 3.1: slow start ends at the threshold; then a segment for each window")
  func avoidance() {
    var sender = Sender(Sender.knobs(.newReno, threshold: 20_500))
    sender.runRoundTrip()
    sender.runRoundTrip()
    #expect(sender.control.window >= 20_500)
    #expect(!sender.control.isInSlowStart)
    for _ in 0..<10 {
      let before = sender.control.window
      sender.runRoundTrip()
      // What is left of a segment counts next time.
      #expect(sender.control.window - before == 1000)
    }
  }

  @Test("The additive increase is a knob", arguments: [(UInt16(512), 500), (1024, 1000), (4096, 4000)])
  func additiveIncrease(knob: UInt16, growth: Int) {
    var knobs = Sender.knobs(.newReno, window: 40, threshold: 20_000)
    knobs.additiveIncrease = knob
    var sender = Sender(knobs)
    let before = sender.control.window
    sender.acknowledge(before)
    #expect(sender.control.window == before + growth)
  }

  @Test(
    "RFC 5681, equation 4: half of what is in flight remains, or 3/4 if policy says so, and at least two segments",
    arguments: [
      (UInt16(0), 40_000, 20_000), (768, 40_000, 30_000), (768, 20_000, 15_000), (0, 3000, 2000), (0, -5, 2000),
      (1, .max, 2000), (.max, .max, 39_960),
    ])
  func decrease(factor: UInt16, inFlight: Int, remains: Int) {
    var knobs = Sender.knobs(.newReno, window: 40)
    knobs.keepFactor = factor
    var control = CongestionControl(knobs: knobs, segmentSize: segment)
    control.lossDetected(inFlight: inFlight, now: Instant(nanoseconds: 0))
    #expect(control.slowStartThreshold == remains)
    #expect(control.window == remains)
    #expect(control.phase == .recovery)
  }

  @Test("Losses of one window reduce once; acknowledgments meanwhile do not let it grow")
  func once() {
    var sender = Sender(Sender.knobs(.newReno, window: 40))
    sender.control.lossDetected(inFlight: 40_000, now: sender.now)
    sender.control.lossDetected(inFlight: 40_000, now: sender.now)
    sender.acknowledge(40_000)
    sender.control.congestionExperienced(now: sender.now)
    #expect(sender.control.window == 20_000)
    sender.control.recoveryEnded()
    sender.control.lossDetected(inFlight: 20_000, now: sender.now)
    #expect(sender.control.window == 10_000)
  }

  @Test("RFC 5681, section 3.1: a timeout leaves one segment; the threshold is set by the first of a row only")
  func timeout() {
    var sender = Sender(Sender.knobs(.newReno, window: 40))
    sender.control.timedOut(inFlight: 40_000, now: sender.now)
    #expect(sender.control.window == 1000)
    #expect(sender.control.slowStartThreshold == 20_000)
    sender.control.timedOut(inFlight: 1000, now: sender.now)
    #expect(sender.control.slowStartThreshold == 20_000)
    // RFC 3465, section 2.3: L is one segment now.
    sender.acknowledge(5000)
    #expect(sender.control.window == 2000)
    for _ in 0..<18 { sender.acknowledge(1000) }
    #expect(sender.control.window == 20_000)
    sender.acknowledge(20_000)
    #expect(sender.control.window == 21_000)
  }

  @Test("A timeout in fast recovery does not reduce the threshold twice for one window, but to what is in flight")
  func timeoutInRecovery() {
    var control = CongestionControl(knobs: Sender.knobs(.newReno, window: 40), segmentSize: segment)
    let now = Instant(nanoseconds: 0)
    control.lossDetected(inFlight: 40_000, now: now)
    control.timedOut(inFlight: 40_000, now: now)
    #expect(control.slowStartThreshold == 20_000)
    control.recoveryEnded()
    control.undo()
    control.lossDetected(inFlight: 40_000, now: now)
    control.timedOut(inFlight: 10_000, now: now)
    #expect(control.slowStartThreshold == 5000)
    control.undo()
    #expect(control.window == 40_000)
  }

  @Test("A mark is a loss without retransmission, and can't be undone (RFC 3168)")
  func mark() {
    var control = CongestionControl(knobs: Sender.knobs(.newReno, window: 40), segmentSize: segment)
    control.congestionExperienced(now: Instant(nanoseconds: 0))
    #expect(control.window == 20_000)
    #expect(control.phase == .reduced)
    #expect(!control.canUndo)
    // A loss in the same window of data is the same event.
    control.lossDetected(inFlight: 40_000, now: Instant(nanoseconds: 0))
    #expect(control.window == 20_000)
    #expect(control.phase == .recovery)
  }

  @Test("Who is not limited by the window does not let it grow, nor lose it while idle (RFC 7661)")
  func idle() {
    var sender = Sender(Sender.knobs(.newReno, window: 40))
    sender.acknowledge(1000, limited: false)
    sender.control.idle(for: .seconds(299))
    #expect(sender.control.window == 40_000)
    sender.control.idle(for: .seconds(301))
    #expect(sender.control.window == 20_000)
    #expect(sender.control.isInSlowStart)
    sender.control.idle(for: .nanoseconds(.max))
    #expect(sender.control.window == 10_000)
    sender.control.idle(for: .nanoseconds(.min))
    #expect(sender.control.window == 10_000)
  }

  @Test("RFC 7661, section 4.3: a window limits if half of it is in flight", arguments: [UInt32.max, 2000])
  func limiting(threshold: UInt32) {
    let control = CongestionControl(knobs: Sender.knobs(.newReno, threshold: threshold), segmentSize: segment)
    #expect(control.isLimiting(inFlight: 5000))
    #expect(!control.isLimiting(inFlight: 4999))
  }
}
