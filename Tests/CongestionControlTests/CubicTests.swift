// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import Timekeeping

@testable import CongestionControl

@Suite("CUBIC: RFC 9438")
struct CubicTests {
  @Test(
    "Section 4.2: after a loss the window follows W_cubic through its plateau and beyond", arguments: [500, 1000, 5000])
  func curve(window: UInt16) {
    var sender = Sender(Sender.knobs(.cubic, window: window))
    sender.lose()
    #expect(abs(sender.segments - Double(window) * 717 / 1024) < 0.01)
    let begin = sender.now
    let reference = CubicReference(peak: Double(window), begin: sender.segments)
    var passed = 0.0
    while passed < 2.2 * reference.timeToPeak {
      sender.runRoundTrip()
      passed = Double((sender.now - begin).nanoseconds) / 1e9
      // The window is that of the next round trip, less what clamping to whole acknowledgments costs.
      let low = reference.curve(passed - 0.1) * 0.99
      let high = reference.curve(passed + 0.1) * 1.01
      #expect((low...high).contains(sender.segments), "after \(passed) s of \(reference.timeToPeak)")
    }
    #expect(sender.segments > Double(window) * 1.05)
  }

  @Test("Section 4.3: on a short path it grows as Reno would, with alpha up to the last maximum and 1 beyond")
  func friendly() {
    var sender = Sender(Sender.knobs(.cubic, window: 40), roundTrip: .milliseconds(2))
    sender.lose()
    let reference = CubicReference(peak: 40, begin: sender.segments)
    var previous = sender.segments
    for trip in 1...60 {
      sender.runRoundTrip()
      let expected = reference.estimate(roundTrips: trip, prior: 40)
      #expect(abs(sender.segments - expected) < 0.05 * expected, "round trip \(trip)")
      #expect(sender.segments >= previous)
      previous = sender.segments
    }
    #expect(sender.segments > 60)
  }

  @Test("Section 4.7: who loses below his last maximum takes less than that for the next")
  func fastConvergence() {
    // Two senders with the same window; one lost at a greater window before.
    var first = Sender(Sender.knobs(.cubic, window: 700))
    var second = Sender(Sender.knobs(.cubic, window: 1000))
    second.lose()
    #expect(abs(first.segments - second.segments) < 1)
    first.lose()
    second.lose()
    #expect(abs(first.segments - second.segments) < 1)
    // The plateau of the first lies at 700, of the second at 700 * (1 + 0.7) / 2 = 595.
    for _ in 0..<Int(10 * CubicReference(peak: 595, begin: 490).timeToPeak) {
      first.runRoundTrip()
      second.runRoundTrip()
    }
    #expect(abs(second.segments - 595) < 12)
    #expect(first.segments > second.segments + 30)
  }

  @Test(
    "Section 4.7 counts in segments: who loses within the segment of his last maximum gives nothing up",
    arguments: [false, true])
  func fastConvergenceInSegments(isLess: Bool) {
    var sender = Sender(Sender.knobs(.cubic, window: 50), roundTrip: .milliseconds(400))
    sender.control.adopted(inFlight: 100_900)
    sender.lose()
    sender.control.adopted(inFlight: isLess ? 99_900 : 100_100)
    sender.lose()
    // For as long as it takes to the plateau of the second; that of the first lies at 85.
    for _ in 0..<10 { sender.runRoundTrip() }
    #expect(isLess ? sender.segments < 92 : sender.segments > 98 && sender.segments < 102)
  }

  @Test("Sections 4.8 and 4.10: after a timeout, and after a slow start without loss, the curve begins at its plateau")
  func timeout() {
    var lost = Sender(Sender.knobs(.cubic, window: 1000))
    lost.control.timedOut(inFlight: 1_000_000, now: lost.now)
    #expect(lost.control.window == Sender.segment)
    #expect(abs(lost.control.slowStartThreshold - 700_195) < 2)
    while lost.control.isInSlowStart { lost.runRoundTrip() }
    lost.control.recoveryEnded()
    var fresh = Sender(Sender.knobs(.cubic, window: 700, threshold: 700_000))
    for sender in [lost, fresh] { #expect(abs(sender.segments - 700) < 5) }
    for _ in 0..<50 {
      lost.runRoundTrip()
      fresh.runRoundTrip()
    }
    // W_cubic(5 s) with K = 0: 0.4 * 125 = 50 above.
    for sender in [lost, fresh] { #expect(abs(sender.segments - 750) < 12) }
  }

  @Test("Section 5.8: time without enough to send does not count; afterwards the curve goes on where it was")
  func pause() {
    for moment in [20, 90] {
      var steady = Sender(Sender.knobs(.cubic, window: 1000))
      steady.lose()
      for _ in 0..<moment { steady.runRoundTrip() }
      var paused = steady
      let before = paused.control.window
      for _ in 0..<100 { paused.runRoundTrip(limited: false) }
      #expect(paused.control.window == before)
      paused.control.idle(for: .seconds(100))
      paused.now = paused.now + .seconds(100)
      for _ in 0..<20 {
        steady.runRoundTrip()
        paused.runRoundTrip()
      }
      #expect(abs(steady.segments - paused.segments) < 0.01 * steady.segments)
    }
  }

  @Test("Section 4.9: undoing a loss brings back the window, the threshold and the curve")
  func undo() {
    var steady = Sender(Sender.knobs(.cubic, window: 1000))
    steady.lose()
    for _ in 0..<30 { steady.runRoundTrip() }
    for isTimeout in [false, true] {
      var undone = steady
      let threshold = undone.control.slowStartThreshold
      if isTimeout {
        undone.control.timedOut(inFlight: undone.control.window, now: undone.now)
        undone.acknowledge(1000)
      } else {
        undone.control.lossDetected(inFlight: undone.control.window, now: undone.now)
      }
      #expect(undone.control.window < steady.control.window)
      undone.control.undo()
      #expect(undone.control.window == steady.control.window)
      #expect(undone.control.slowStartThreshold == threshold)
      #expect(undone.control.phase == .open)
      var other = steady
      for _ in 0..<60 {
        other.runRoundTrip()
        undone.runRoundTrip()
      }
      #expect(undone.control.window == other.control.window)
    }
  }

  @Test("The window is the same in every run: only operations that IEEE 754 fixes are used")
  func deterministic() {
    var sender = Sender(Sender.knobs(.cubic, window: 1000))
    sender.lose()
    for _ in 0..<100 { sender.runRoundTrip() }
    // From one run; another machine or build mode must give the same.
    #expect(sender.control.window == 1_000_318)
  }

  @Test("The cube root is that of the C library to the last few bits")
  func cubeRoot() {
    var value = 1e-300
    while value < 1e300 {
      let root = Cubic.cubeRoot(value)
      #expect(abs(root - cbrt(value)) <= 4 * root.ulp)
      value *= 1.7
    }
    for value in [0, -1, Double.infinity, -Double.infinity, Double.nan] { #expect(Cubic.cubeRoot(value) == 0) }
    #expect(abs(Cubic.cubeRoot(27) - 3) < 1e-15)
  }
}
