// SPDX-License-Identifier: Apache-2.0

import Testing
import Timekeeping

@testable import CongestionControl

@Suite("HyStart++: RFC 9406")
struct HyStartTests {
  /// A window that is acknowledged whole, a segment at a time, all with the same round trip.
  private func round(_ control: inout CongestionControl, _ roundTrip: Interval, acknowledgments: Int = 10) {
    let bytes = control.window / acknowledgments
    for number in 0..<acknowledgments {
      control.acknowledged(
        bytes: bytes, roundTrip: roundTrip, sample: roundTrip, beginsRound: number == 0, isWindowLimited: true,
        now: Instant(nanoseconds: 0))
    }
  }

  private func control(_ algorithm: CongestionAlgorithm = .newReno) -> CongestionControl {
    var knobs = Sender.knobs(algorithm)
    knobs.byteCountingLimit = 0
    return CongestionControl(knobs: knobs, segmentSize: 1000)
  }

  @Test("As long as the round trip stays as it is the window doubles")
  func steady() {
    var control = control()
    for exponent in 0..<10 {
      #expect(control.window == 10_000 << exponent)
      round(&control, .milliseconds(50))
    }
  }

  @Test(
    "A round trip longer by an eighth, at least 4 ms and at most 16, makes the window grow at a quarter of the speed",
    arguments: [(10, 3, 4), (50, 6, 7), (80, 9, 10), (400, 15, 16)] as [(Int64, Int64, Int64)])
  func step(roundTrip: Int64, tooLittle: Int64, enough: Int64) {
    for (more, isCautious) in [(tooLittle, false), (enough, true)] {
      var control = control()
      round(&control, .milliseconds(roundTrip))
      round(&control, .milliseconds(roundTrip + more))
      // The eighth acknowledgment tells; what comes behind it in the round counts less.
      #expect(control.window == (isCautious ? 20_000 + 14_000 + 3 * 500 : 40_000))
      #expect(control.isInSlowStart)
    }
  }

  @Test(
    "After five rounds of caution, the one in which it began counted, congestion avoidance begins; by any algorithm",
    arguments: [.newReno, .cubic] as [CongestionAlgorithm])
  func ends(algorithm: CongestionAlgorithm) {
    var control = control(algorithm)
    round(&control, .milliseconds(50))
    for number in 1...5 {
      round(&control, .milliseconds(60))
      #expect(control.isInSlowStart, "round \(number)")
    }
    let window = control.window
    round(&control, .milliseconds(60))
    #expect(!control.isInSlowStart)
    #expect(control.slowStartThreshold == window)
    #expect(control.window < window * 5 / 4)
    // And nothing was taken for a loss.
    #expect(control.phase == .open && !control.canUndo)
  }

  @Test("If the round trip becomes short again it was jitter, and slow start goes on")
  func resumes() {
    var control = control()
    round(&control, .milliseconds(50))
    round(&control, .milliseconds(60))
    round(&control, .milliseconds(52))
    let window = control.window
    round(&control, .milliseconds(52))
    #expect(control.window > window * 19 / 10)
    #expect(control.isInSlowStart)
  }

  @Test("Fewer than eight samples in a round say nothing")
  func fewSamples() {
    var control = control()
    for roundTrip in [50, 70, 90, 120] as [Int64] { round(&control, .milliseconds(roundTrip), acknowledgments: 5) }
    #expect(control.window == 160_000)
  }

  @Test("Only the first slow start is watched: not that after a timeout, and again if the timeout was none")
  func once() {
    var control = control()
    round(&control, .milliseconds(50))
    var timedOut = control
    timedOut.timedOut(inFlight: 20_000, now: Instant(nanoseconds: 0))
    timedOut.recoveryEnded()
    timedOut.threshold = 1_000_000
    var undone = timedOut
    for control in [50, 100].map(Interval.milliseconds) { round(&timedOut, control) }
    #expect(timedOut.window == 4000)
    undone.undo()
    #expect(undone.window == 20_000)
    round(&undone, .milliseconds(50))
    round(&undone, .milliseconds(60))
    #expect(undone.window < 75_000)
    undone.congestionExperienced(now: Instant(nanoseconds: 0))
    #expect(!undone.isInSlowStart)
  }

  @Test("What a clock shows that went back is no round trip to compare with", arguments: [Int64.min, -1])
  func oddSamples(nanoseconds: Int64) {
    var control = control()
    round(&control, .nanoseconds(nanoseconds))
    // Nor is it the least of a round that has others.
    round(&control, .milliseconds(50))
    control.acknowledged(
      bytes: 1, roundTrip: .zero, sample: .nanoseconds(nanoseconds), isWindowLimited: true, now: Instant(nanoseconds: 0)
    )
    round(&control, .milliseconds(50))
    #expect(control.window == 2 * 40_001 - 40_001 % 10)
    round(&control, .nanoseconds(.max))
    #expect(control.isInSlowStart)
  }
}
