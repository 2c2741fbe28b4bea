// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import CongestionControl

@Suite("BIC: Xu, Harfoush, Rhee 2004")
struct BinaryIncreaseTests {
  /// The increase in a round trip, in segments: additive increase, binary search, and max probing beyond, by whole segments.
  private static func increase(_ window: Double, maximum: Double) -> Double {
    let distance = maximum.rounded(.down) - window.rounded(.down)
    let step =
      if distance > 0 {
        distance < 8 ? 0.2 : min((distance / 4).rounded(.down), 16)
      } else {
        distance > -4 ? 0.2 : min(-distance / 3, 16)
      }
    return step * 31 / 16
  }

  /// A round trip, of acknowledgments of two segments each.
  private static func next(_ window: Double, maximum: Double) -> Double {
    var grown = window
    for _ in 0..<Int(window / 2) { grown += 2 * increase(grown, maximum: maximum) / grown }
    return grown
  }

  @Test("After a loss it searches for where it was, and beyond", arguments: [200, 1000, 4000])
  func search(window: UInt16) {
    var sender = Sender(Sender.knobs(.bic, window: window, threshold: 2_000))
    sender.lose()
    let maximum = Double(window)
    #expect(abs(sender.segments - maximum * 819 / 1024) < 0.01)
    var expected = sender.segments
    var trips = 0
    while sender.segments < maximum * 1.1, trips < 400 {
      sender.runRoundTrip()
      expected = Self.next(expected, maximum: maximum)
      trips += 1
      #expect(abs(sender.segments - expected) < 0.05 * expected, "round trip \(trips)")
    }
    #expect(trips < 400)
  }

  @Test("Who loses below his last maximum takes less than that for the next")
  func fastConvergence() {
    var sender = Sender(Sender.knobs(.bic, window: 1000, threshold: 2_000))
    sender.lose()
    sender.lose()
    // 800 and then 640: searched is (1 + 0.8) / 2 of 800.
    let maximum = 800.0 * (1024 + 819) / 2048
    var trips = 0
    while sender.segments < maximum - 8 {
      sender.runRoundTrip()
      trips += 1
    }
    let before = sender.segments
    for _ in 0..<5 { sender.runRoundTrip() }
    // Two fifths of a segment in each.
    #expect((1...3).contains(sender.segments - before))
    #expect(trips < 10)
  }

  @Test("Before the first loss a large window grows by a twentieth of what arrives, 31/16 times")
  func beforeLosses() {
    var sender = Sender(Sender.knobs(.bic, window: 400, threshold: 2_000))
    sender.runRoundTrip()
    // 400 / 20 * 31 / 16 = 38.75.
    #expect((438...439).contains(sender.segments))
  }

  @Test("Some segments before the last maximum it slows down by whole segments", arguments: [8, 9, 11, 12])
  func steps(distance: Int) {
    var sender = Sender(Sender.knobs(.bic, window: 100, threshold: 2_000))
    sender.lose()
    while sender.segments < 100 - Double(distance) { sender.acknowledge(100) }
    let begin = sender.segments
    var octets = 0
    while sender.segments == begin, octets < 200_000 {
      sender.acknowledge(100)
      octets += 100
    }
    // A window for two or three segments, of 31/16; a segment nearer it would be one for a fifth of one.
    let expected = Double(sender.control.window - 1000) / Double(distance / 4) * 16 / 31
    #expect(abs(Double(octets) - expected) <= 200)
  }

  @Test("Up to 14 segments it is Reno")
  func small() {
    var (reno, bic) = (Sender(Sender.knobs(.newReno, threshold: 2_000)), Sender(Sender.knobs(.bic, threshold: 2_000)))
    for _ in 0..<4 {
      reno.runRoundTrip()
      bic.runRoundTrip()
      #expect(reno.control.window == bic.control.window)
    }
    reno.lose()
    bic.lose()
    #expect(reno.control.window == bic.control.window)
  }
}
