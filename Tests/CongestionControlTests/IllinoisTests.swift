// SPDX-License-Identifier: Apache-2.0

import Testing
import Timekeeping

@testable import CongestionControl

@Suite("TCP Illinois: Liu, Basar, Srikant 2006")
struct IllinoisTests {
  /// A path whose round trip was between 100 and 200 ms.
  private func sender(window: UInt16 = 100) -> Sender {
    var knobs = Sender.knobs(.illinois, window: window, threshold: 2_000)
    knobs.usesHyStart = false
    var sender = Sender(knobs)
    for sample in [100, 200] { sender.acknowledge(1, limited: false, sample: .milliseconds(Int64(sample))) }
    sender.runRoundTrip(sample: .milliseconds(150))
    return sender
  }

  /// Segments that a round trip adds when all of the rounds before had the delay, and what a loss leaves then.
  private func measure(delay: Int64, window: UInt16 = 100) -> (growth: Double, kept: Double) {
    var sender = sender(window: window)
    for _ in 0..<12 { sender.runRoundTrip(sample: .milliseconds(100 + delay)) }
    let before = sender.segments
    sender.runRoundTrip(sample: .milliseconds(100 + delay))
    let growth = sender.segments - before
    let whole = sender.segments
    sender.lose()
    return (growth, sender.segments / whole)
  }

  @Test("Without delay ten segments in a round trip, and a loss takes an eighth")
  func withoutDelay() {
    let seen = measure(delay: 0)
    #expect(seen.growth >= 9 && seen.growth <= 11)
    #expect(abs(seen.kept - 7.0 / 8) < 0.01)
  }

  @Test("With the longest delay three tenths of a segment, and a loss takes a half")
  func longestDelay() {
    var sender = sender()
    for _ in 0..<12 { sender.runRoundTrip(sample: .milliseconds(200)) }
    let before = sender.segments
    for _ in 0..<20 { sender.runRoundTrip(sample: .milliseconds(200)) }
    #expect(abs(sender.segments - before - 6) <= 1)
    let whole = sender.segments
    sender.lose()
    #expect(abs(sender.segments / whole - 0.5) < 0.01)
  }

  @Test("In between by the formulas of the paper", arguments: [5, 20, 45, 70, 90] as [Int64])
  func between(delay: Int64) {
    let seen = measure(delay: delay)
    // dm = 100, d1 = 1, d2 = 10, d3 = 80.
    let (range, distance) = (99.0, Double(delay) - 1)
    let alpha = range * 10 / (range + distance * (10 - 0.3) / 0.3)
    #expect(abs(seen.growth - alpha) <= 1)
    let beta = delay <= 10 ? 0.125 : delay >= 80 ? 0.5 : (0.125 * 80 - 0.5 * 10 + 0.375 * Double(delay)) / 70
    #expect(abs(seen.kept - (1 - beta)) < 0.02)
  }

  @Test("Below 15 segments it is Reno")
  func small() {
    var sender = sender(window: 2)
    let before = sender.segments
    for _ in 0..<8 { sender.runRoundTrip(sample: .milliseconds(100)) }
    #expect(abs(sender.segments - before - 8) <= 1)
    let whole = sender.segments
    sender.lose()
    #expect(abs(sender.segments / whole - 0.5) < 0.05)
  }
}
