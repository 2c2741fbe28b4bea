// SPDX-License-Identifier: Apache-2.0

import Testing
import Timekeeping

@testable import CongestionControl

@Suite("H-TCP: Leith, Shorten 2004")
struct HTCPTests {
  private func sender(window: UInt16 = 500, roundTrip: Int64 = 100) -> Sender {
    var knobs = Sender.knobs(.hTCP, window: window, threshold: 2_000)
    knobs.usesHyStart = false
    return Sender(knobs, roundTrip: .milliseconds(roundTrip))
  }

  @Test("For a second after a loss it is Reno, then it grows by the polynomial of the time")
  func growth() {
    var sender = sender()
    sender.lose()
    for _ in 0..<9 { sender.runRoundTrip(sample: .milliseconds(100)) }
    #expect(abs(sender.segments - 250 - 9) <= 1)
    var expected = sender.segments
    for trip in 10..<60 {
      sender.runRoundTrip(sample: .milliseconds(100))
      // In the middle of the round trip; a loss takes a half, so alpha is not scaled.
      let seconds = max((Double(trip) - 0.5) / 10 - 1, 0)
      expected += 1 + 10 * seconds + seconds * seconds / 4
      #expect(abs(sender.segments - expected) < 0.03 * expected, "round trip \(trip)")
    }
  }

  @Test("Paths of other lengths grow alike in a second, not in a round trip", arguments: [20, 50, 150] as [Int64])
  func scaling(roundTrip: Int64) {
    var (one, other) = (sender(), sender(roundTrip: roundTrip))
    for _ in 0..<30 { one.runRoundTrip(sample: .milliseconds(100)) }
    for _ in 0..<Int(3000 / roundTrip) { other.runRoundTrip(sample: .milliseconds(roundTrip)) }
    let (grown, expected) = (other.segments - 500, one.segments - 500)
    // The first second is Reno's, and counts by round trips.
    #expect(grown > 0.7 * expected && grown < 1.5 * expected + 50)
  }

  /// Some round trips with a queue, and a loss: what of the window remains.
  private func lose(_ sender: inout Sender) -> Double {
    for sample in [85, 100, 100] as [Int64] { sender.runRoundTrip(limited: false, sample: .milliseconds(sample)) }
    let before = sender.segments
    sender.lose()
    return sender.segments / before
  }

  /// Back to where it was.
  private func regrow(_ sender: inout Sender) {
    while sender.segments < 495 { sender.runRoundTrip(sample: .milliseconds(100)) }
  }

  @Test("A loss takes what stands in the queue if the throughput was the same at two losses before it, else a half")
  func backOff() {
    var sender = sender()
    sender.acknowledge(1, limited: false, sample: .milliseconds(70))
    #expect(abs(lose(&sender) - 0.5) < 0.01)
    regrow(&sender)
    #expect(abs(lose(&sender) - 0.5) < 0.01)
    regrow(&sender)
    #expect(abs(lose(&sender) - 0.7) < 0.02)
    // Another one took a good part of the path meanwhile.
    #expect(abs(lose(&sender) - 0.5) < 0.01)
  }

  @Test("Who gives up less grows by less: alpha is scaled by 2 (1 - beta)")
  func friendliness() {
    var sender = sender()
    sender.acknowledge(1, limited: false, sample: .milliseconds(70))
    for _ in 0..<3 {
      _ = lose(&sender)
      regrow(&sender)
    }
    // At once again, at the same throughput.
    #expect(abs(lose(&sender) - 0.7) < 0.02)
    let before = sender.segments
    for _ in 0..<8 { sender.runRoundTrip(sample: .milliseconds(100)) }
    #expect(abs(sender.segments - before - 8 * 0.6) <= 1)
  }

  @Test(
    "Time counts from the end of a recovery, however long it takes, and what it delivers is not the path's throughput")
  func longRecovery() {
    var (short, long) = (sender(), sender())
    for index in 0..<30 {
      if index == 0 { short.lose() }
      short.runRoundTrip(sample: .milliseconds(100))
    }
    long.control.lossDetected(inFlight: long.control.window, now: long.now)
    for _ in 0..<20 {
      long.now = long.now + .milliseconds(100)
      long.control.delivered(
        bytes: 1000, roundTrip: .milliseconds(100), sample: .milliseconds(100), now: long.now)
    }
    long.control.recoveryEnded()
    for _ in 0..<30 { long.runRoundTrip(sample: .milliseconds(100)) }
    #expect(abs(long.segments - short.segments) <= 2)
  }

  @Test("The longest round trip fades by a twentieth at each loss, and a pause is none")
  func longest() {
    var htcp = HTCP()
    var now = Instant(nanoseconds: 1)
    func run(_ milliseconds: Int64, count: Int = 20) {
      for _ in 0..<count {
        now = now + .milliseconds(100)
        htcp.delivered(
          Delivery(
            bytes: 100_000, roundTrip: .milliseconds(100), sample: .milliseconds(milliseconds), window: 100_000,
            segmentSize: 1000, isOpen: true, now: now))
      }
    }
    run(60)
    run(80)
    run(500, count: 1)
    for _ in 0..<2 {
      htcp.reduced()
      run(80)
    }
    htcp.reduced()
    #expect(abs(Int(htcp.keepFactor) - 1024 * 60 / 80) <= 4)
    run(60)
    htcp.reduced()
    // 60 + 20 * 19 / 20.
    #expect(abs(Int(htcp.keepFactor) - 1024 * 60 / 79) <= 4)
  }
}
