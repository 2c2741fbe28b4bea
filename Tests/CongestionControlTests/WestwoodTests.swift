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

  /// A recovery in which a window arrives in each round trip, behind a hole and then all at once.
  private func recover(_ sender: inout Sender, roundTrips: Int, octets: Int) {
    for _ in 0..<roundTrips {
      sender.now = sender.now + .milliseconds(100)
      sender.control.delivered(
        bytes: octets, roundTrip: .milliseconds(100), sample: .milliseconds(100), now: sender.now)
    }
    sender.control.recoveryEnded()
  }

  @Test("What a recovery delivers counts: many long ones are no reason to think less of the path")
  func recoveries() {
    var sender = sender()
    for _ in 0..<60 { sender.runRoundTrip(sample: .milliseconds(100)) }
    let before = sender.segments
    for _ in 0..<12 {
      let window = sender.control.window
      sender.control.lossDetected(inFlight: window, now: sender.now)
      recover(&sender, roundTrips: 5, octets: window)
      sender.runRoundTrip(sample: .milliseconds(100))
    }
    #expect(sender.segments > 0.9 * before)
  }

  @Test("What a recovery has shown is taken up at its end, but no more than there was before the loss")
  func recoveryEnds() {
    // The filter has just begun to rise.
    var sender = Sender(Sender.knobs(.westwood))
    for _ in 0..<5 { sender.runRoundTrip(sample: .milliseconds(100)) }
    let before = sender.control.window
    sender.control.lossDetected(inFlight: before, now: sender.now)
    let reduced = sender.control.window
    #expect(reduced < before / 2)
    var other = sender
    recover(&sender, roundTrips: 10, octets: before * 3 / 4)
    #expect(sender.control.window > reduced * 3 / 2 && sender.control.window < before)
    #expect(sender.control.slowStartThreshold == sender.control.window)
    recover(&other, roundTrips: 40, octets: 10 * before)
    #expect(other.control.window == before)
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
        westwood.delivered(
          Delivery(
            bytes: bytes, roundTrip: .milliseconds(60), sample: .milliseconds(60), window: 1 << 20, segmentSize: 1000,
            isOpen: true, now: now))
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
