// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import Testing
import Timekeeping

@Suite("Round trip and timeout of RFC 6298")
struct RTTEstimatorTests {
  private func knobs(minimum: Int64 = 1, maximum: Int64 = 120_000) -> CongestionKnobs {
    var knobs = CongestionKnobs()
    knobs.minimumTimeout = .milliseconds(minimum)
    knobs.maximumTimeout = .milliseconds(maximum)
    return knobs
  }

  @Test("Section 2.1: before the first sample the timeout is one second, and doubles from there")
  func initial() {
    let estimator = RTTEstimator()
    #expect(estimator.timeout(backoff: 0, knobs: knobs()) == .seconds(1))
    #expect(estimator.timeout(backoff: 3, knobs: knobs()) == .seconds(8))
    #expect(!estimator.hasSample)
    #expect(estimator.minimum == .zero)
  }

  @Test("Sections 2.2 and 2.3: SRTT = R and RTTVAR = R/2 first, then 1/8 and 1/4, the variation before the mean")
  func vectors() {
    var estimator = RTTEstimator()
    // Samples in milliseconds; SRTT and RTTVAR in nanoseconds, by hand.
    let vectors: [(sample: Int64, smoothed: Int64, variation: Int64)] = [
      (100, 100_000_000, 50_000_000),
      (200, 112_500_000, 62_500_000),  // var: 50 + (100 - 50)/4; srtt: 100 + 100/8
      (100, 110_937_500, 50_000_000),  // var: 62.5 + (12.5 - 62.5)/4; srtt: 112.5 - 12.5/8
      (50, 103_320_313, 52_734_375),  // var: 50 + (60.9375 - 50)/4; srtt: 110.9375 - 60.9375/8
    ]
    for (number, vector) in vectors.enumerated() {
      estimator.sample(.milliseconds(vector.sample), now: Instant(nanoseconds: Int64(number)))
      #expect(abs(estimator.smoothed.nanoseconds - vector.smoothed) <= 1)
      #expect(abs(estimator.variation.nanoseconds - vector.variation) <= 1)
      let timeout = estimator.timeout(backoff: 0, knobs: knobs())
      #expect(abs(timeout.nanoseconds - vector.smoothed - 4 * vector.variation) <= 5)
    }
    #expect(estimator.minimum == .milliseconds(50))
  }

  @Test("Section 2.3: a steady round trip leaves at least the clock's granularity above itself")
  func steady() {
    var estimator = RTTEstimator()
    for step in 0..<200 { estimator.sample(.milliseconds(40), now: Instant(nanoseconds: Int64(step))) }
    #expect(estimator.timeout(backoff: 0, knobs: knobs()) == .milliseconds(41))
  }

  @Test("Sections 2.4, 2.5 and 5.5: the minimum is doubled, and the maximum is never exceeded")
  func clamped() {
    var estimator = RTTEstimator()
    estimator.sample(.microseconds(100), now: Instant(nanoseconds: 0))
    let limits = knobs(minimum: 200, maximum: 60_000)
    let expected: [Int64] = [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000]
    for (backoff, milliseconds) in expected.enumerated() {
      #expect(estimator.timeout(backoff: UInt8(backoff), knobs: limits) == .milliseconds(milliseconds))
    }
    #expect(estimator.timeout(backoff: 255, knobs: limits) == .seconds(60))
    #expect(estimator.timeout(backoff: 255, knobs: knobs(minimum: .max / 1_000_000, maximum: -5)) > .zero)
  }

  @Test("Samples that can't be measured leave a usable estimate", arguments: [Int64.min, -1, 0, 1, .max])
  func hostile(nanoseconds: Int64) {
    var estimator = RTTEstimator()
    for now in [Int64.min, 0, .max] {
      estimator.sample(.nanoseconds(nanoseconds), now: Instant(nanoseconds: now))
    }
    #expect(estimator.hasSample == (nanoseconds >= 0))
    #expect(estimator.smoothed >= .zero)
    #expect(estimator.smoothed <= .seconds(3600))
    let timeout = estimator.timeout(backoff: 1, knobs: knobs())
    #expect(timeout > .zero && timeout <= .seconds(120))
    if nanoseconds == 0 { #expect(estimator.minimum == .microseconds(1)) }
  }

  @Test("The minimum forgets what is more than five minutes old, and not what is less than two and a half")
  func windowed() {
    var estimator = RTTEstimator()
    func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: 0) + .seconds(seconds) }
    estimator.sample(.milliseconds(10), now: at(0))
    estimator.sample(.milliseconds(30), now: at(149))
    #expect(estimator.minimum == .milliseconds(10))
    estimator.sample(.milliseconds(30), now: at(150))
    #expect(estimator.minimum == .milliseconds(10))
    estimator.sample(.milliseconds(30), now: at(301))
    #expect(estimator.minimum == .milliseconds(30))
  }

  @Test("It fits in 32 octets") func size() {
    #expect(MemoryLayout<RTTEstimator>.size <= 32)
  }
}
