// SPDX-License-Identifier: Apache-2.0

import Testing
import Timekeeping

@testable import CongestionControl

@Suite("Westwood+: Grieco, Mascolo 2004")
struct WestwoodTests {
  private func sender(window: UInt16 = 100) -> Sender {
    Sender(Sender.knobs(.westwood, window: window, threshold: 2_000))
  }

  @Test("A loss without a queue takes next to nothing: as much as the path carries in its shortest round trip stays")
  func withoutQueue() {
    var sender = sender()
    for _ in 0..<60 { sender.runRoundTrip(sample: .milliseconds(100)) }
    let before = sender.segments
    sender.lose()
    #expect(sender.segments > 0.85 * before && sender.segments <= before)
  }

  @Test("With a queue of a whole round trip, half of the window is what the path carries")
  func withQueue() {
    var sender = sender(window: 200)
    // Once the path was empty.
    sender.acknowledge(1000, sample: .milliseconds(50))
    for _ in 0..<60 { sender.runRoundTrip(sample: .milliseconds(100)) }
    let before = sender.segments
    sender.lose()
    #expect(abs(sender.segments / before - 0.5) < 0.08)
  }

  @Test("As long as nothing is measured, and where policy says how much, it is Reno")
  func withoutRate() {
    var sender = sender()
    sender.lose()
    #expect(sender.segments == 50)
    var knobs = Sender.knobs(.westwood, window: 100, threshold: 2_000)
    knobs.keepFactor = 768
    var told = Sender(knobs)
    for _ in 0..<60 { told.runRoundTrip(sample: .milliseconds(100)) }
    let before = told.segments
    told.lose()
    #expect(abs(told.segments - before * 3 / 4) < 0.01)
  }

  @Test("It grows as Reno does")
  func growth() {
    var (reno, other) = (
      Sender(Sender.knobs(.newReno, threshold: 2_000)), Sender(Sender.knobs(.westwood, threshold: 2_000))
    )
    for _ in 0..<50 {
      reno.runRoundTrip(sample: .milliseconds(100))
      other.runRoundTrip(sample: .milliseconds(100))
      #expect(reno.control.window == other.control.window)
    }
  }

  @Test("A rate follows what is acknowledged within ten spans or so, after both filters")
  func filter() {
    var westwood = Westwood()
    var now = Instant(nanoseconds: 1)
    func run(_ bytes: Int, spans: Int) {
      for _ in 0...spans {
        westwood.observed(bytes: bytes, roundTrip: .milliseconds(60), sample: .milliseconds(60), now: now)
        now = now + .milliseconds(61)
      }
    }
    run(61_000, spans: 10)
    // A megabyte in a second, 60 ms of it.
    #expect(westwood.pipe.map { abs($0 - 60_000) < 600 } == true)
    run(122_000, spans: 40)
    #expect(westwood.pipe.map { abs($0 - 120_000) < 6_000 } == true)
  }
}
