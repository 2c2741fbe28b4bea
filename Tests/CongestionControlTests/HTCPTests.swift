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

  @Test("A loss takes what stands in the queue if the throughput is what it was, else a half")
  func backOff() {
    var sender = sender()
    sender.acknowledge(1, limited: false, sample: .milliseconds(70))
    func lose() -> Double {
      for _ in 0..<3 { sender.runRoundTrip(limited: false, sample: .milliseconds(100)) }
      let before = sender.segments
      sender.lose()
      return sender.segments / before
    }
    #expect(abs(lose() - 0.5) < 0.01)
    // Back to where it was.
    while sender.segments < 495 { sender.runRoundTrip(sample: .milliseconds(100)) }
    #expect(abs(lose() - 0.7) < 0.02)
    // Another one took a half of the path meanwhile.
    #expect(abs(lose() - 0.5) < 0.01)
  }
}
