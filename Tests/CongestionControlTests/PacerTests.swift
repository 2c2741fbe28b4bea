// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import Testing
import Timekeeping

@Suite("Pacer")
struct PacerTests {
  private let start = Instant(nanoseconds: 5_000_000_000)

  private func pacer(window: Int = 1_000_000, roundTrip: Interval = .milliseconds(100), slow: Bool = false) -> Pacer {
    var pacer = Pacer()
    pacer.adjust(window: window, roundTrip: roundTrip, isInSlowStart: slow)
    return pacer
  }

  @Test("The rate is two windows in a round trip in slow start, and 1.2 after it")
  func rate() {
    #expect(pacer(slow: true).rate == 20_000_000)
    #expect(pacer(slow: false).rate == 12_000_000)
  }

  @Test(
    "A second of sending whenever it is allowed carries the rate, whatever the size of the pieces",
    arguments: [500, 9000, 64_000])
  func throughput(piece: Int) {
    var pacer = pacer()
    var now = start
    var bytes = 0
    while now < start + .seconds(1) {
      #expect(pacer.earliest(now: now) == now)
      pacer.sent(bytes: piece, now: now)
      bytes += piece
      now = pacer.earliest(now: now)
    }
    #expect(abs(bytes - 12_000_000) <= 12_000 + 2 * piece)
  }

  @Test("A timer that is up to a millisecond late costs nothing; an idle hour saves up no more than that")
  func late() {
    var pacer = pacer()
    var now = start
    var bytes = 0
    while now < start + .seconds(1) {
      while pacer.earliest(now: now) <= now {
        pacer.sent(bytes: 1000, now: now)
        bytes += 1000
      }
      now = now + .milliseconds(1)
    }
    #expect(abs(bytes - 12_000_000) <= 30_000)
    now = now + .seconds(3600)
    var burst = 0
    while pacer.earliest(now: now) <= now {
      pacer.sent(bytes: 1000, now: now)
      burst += 1000
    }
    #expect(burst <= 13_000)
  }

  @Test("A quantum is a millisecond of the rate, and at least two segments")
  func quantum() {
    #expect(pacer().quantum(segmentSize: 1448) == 12_000)
    #expect(pacer(window: 10_000).quantum(segmentSize: 1448) == 2896)
  }

  @Test("Without a round trip, or without a limit, nothing waits")
  func unlimited() {
    var fresh = Pacer()
    fresh.sent(bytes: 1_000_000, now: start)
    #expect(fresh.earliest(now: start) == start)
    var none = pacer(window: CongestionControl.unlimited)
    none.sent(bytes: 1_000_000, now: start)
    #expect(none.earliest(now: start) == start)
    var zero = pacer(roundTrip: .zero)
    zero.sent(bytes: 1_000_000, now: start)
    #expect(zero.earliest(now: start) == start)
  }

  @Test("Any numbers leave a rate and a time", arguments: [Int.min, -1, 0, 1, .max])
  func hostile(number: Int) {
    for roundTrip in [Int64.min, 0, 1, .max] {
      var pacer = pacer(window: number, roundTrip: .nanoseconds(roundTrip), slow: true)
      pacer.sent(bytes: number, now: start)
      #expect(pacer.rate > 0)
      #expect(pacer.earliest(now: start) >= start)
      #expect(pacer.quantum(segmentSize: 1) >= 2)
    }
  }
}
