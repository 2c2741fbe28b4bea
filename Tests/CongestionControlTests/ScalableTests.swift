// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import CongestionControl

@Suite("Scalable TCP: Kelly 2003")
struct ScalableTests {
  @Test(
    "A hundredth of what is acknowledged, whatever the window; a loss takes an eighth", arguments: [200, 1000, 5000])
  func growth(window: UInt16) {
    var sender = Sender(Sender.knobs(.scalable, window: window, threshold: 2_000))
    var expected = Double(window)
    for _ in 0..<20 {
      sender.runRoundTrip()
      // A round trip acknowledges the window that there was when it began.
      expected *= 1.01
      #expect(abs(sender.segments - expected) <= 1 + expected * 0.001)
      expected = sender.segments
    }
    let before = sender.segments
    sender.lose()
    #expect(abs(sender.segments - before * 7 / 8) < 1)
  }

  @Test("The time from a loss to where it was does not depend on the window: 14 round trips", arguments: [300, 3000])
  func recovery(window: UInt16) {
    var sender = Sender(Sender.knobs(.scalable, window: window, threshold: 2_000))
    sender.lose()
    var trips = 0
    while sender.segments < Double(window) {
      sender.runRoundTrip()
      trips += 1
    }
    // ln(8/7) / ln(1.01) = 13.4.
    #expect(trips == 14)
  }

  @Test("Up to 100 segments it grows as Reno does")
  func small() {
    var (reno, scalable) = (
      Sender(Sender.knobs(.newReno, threshold: 2_000)), Sender(Sender.knobs(.scalable, threshold: 2_000))
    )
    for _ in 0..<80 {
      reno.runRoundTrip()
      scalable.runRoundTrip()
      #expect(reno.control.window == scalable.control.window)
    }
  }
}
