// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import CongestionControl

@Suite("BIC: Xu, Harfoush, Rhee 2004")
struct BinaryIncreaseTests {
  /// The paper's increase in a round trip, in segments: additive increase, binary search, and max probing beyond.
  private static func increase(_ window: Double, maximum: Double) -> Double {
    if window < maximum {
      let distance = (maximum - window) / 4
      return distance > 16 ? 16 : distance <= 1 ? 0.2 : distance
    }
    return window < maximum + 4 ? 0.2 : min((window - maximum) / 3, 16)
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
    while sender.segments < maximum - 5 {
      sender.runRoundTrip()
      trips += 1
    }
    let before = sender.segments
    sender.runRoundTrip()
    #expect(sender.segments - before < 2)
    #expect(trips < 15)
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
