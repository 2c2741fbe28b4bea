// SPDX-License-Identifier: Apache-2.0

import Testing
import Timekeeping

@testable import CongestionControl

@Suite("Vegas: Brakmo, Peterson 1995")
struct VegasTests {
  private func sender(window: UInt16, threshold: UInt32 = 2_000) -> Sender {
    var knobs = Sender.knobs(.vegas, window: window, threshold: threshold)
    knobs.usesHyStart = false
    var sender = Sender(knobs)
    // The path is empty once.
    sender.acknowledge(1000, limited: false, sample: .milliseconds(100))
    return sender
  }

  @Test("A segment more in a round trip while less than two stand in queues")
  func grows() {
    var sender = sender(window: 50)
    for _ in 0..<20 { sender.runRoundTrip(sample: .milliseconds(101)) }
    // 50 * 1 / 100 and more, up to 70: none stands. What the first round was like is not known.
    #expect((68...70).contains(sender.segments))
  }

  @Test("With two to four in queues it stays, with more it gives one back")
  func holds() {
    var sender = sender(window: 50)
    // 50 * 7 / 100 = 3.5.
    for _ in 0..<2 { sender.runRoundTrip(sample: .milliseconds(107)) }
    let begin = sender.segments
    for _ in 0..<20 { sender.runRoundTrip(sample: .milliseconds(107)) }
    #expect(sender.segments == begin)
    // 50 * 12 / 100 = 6: down to where five stand in queues no more.
    for _ in 0..<40 { sender.runRoundTrip(sample: .milliseconds(112)) }
    #expect((40...42).contains(sender.segments))
  }

  @Test("A queue of more than a segment ends slow start, at what the path carries")
  func slowStart() {
    var sender = sender(window: 20, threshold: .max)
    for _ in 0..<2 { sender.runRoundTrip(sample: .milliseconds(100)) }
    #expect(sender.control.isInSlowStart)
    let before = sender.segments
    for _ in 0..<2 { sender.runRoundTrip(sample: .milliseconds(150)) }
    #expect(!sender.control.isInSlowStart)
    #expect(sender.segments < 2 * before)
  }

  @Test("A loss halves, and without enough samples it grows as Reno does")
  func fallsBack() {
    var sender = sender(window: 50)
    sender.lose()
    #expect(sender.segments == 25)
    for _ in 0..<10 { sender.runRoundTrip() }
    #expect((34...35).contains(sender.segments))
  }
}
