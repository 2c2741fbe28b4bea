// SPDX-License-Identifier: Apache-2.0

import Testing
import Timekeeping

@testable import CongestionControl

/// Against draft-cardwell-iccrg-bbr-congestion-control-00; 1.25 MB/s (10 Mbit/s) and 40 ms hold 50 segments.
@Suite("BBR, version 1")
struct BBRTests {
  @Test("Section 4.2.1: the first rate is the initial window in the round trip, times 2.885, less a hundredth")
  func firstRate() {
    var path = RatePath(.bbr)
    #expect(path.control.pacingRate == nil)
    path.control.restarted(roundTrip: .milliseconds(40), isApplicationLimited: false, now: path.now)
    #expect(path.control.pacingRate.map { abs($0 - 714_038) <= 1 } == true)
    // Nothing is known of the round trip: a millisecond.
    path.control = CongestionControl(knobs: Sender.knobs(.bbr), segmentSize: 1000)
    path.control.restarted(roundTrip: .zero, isApplicationLimited: false, now: path.now)
    #expect(path.control.pacingRate.map { abs($0 - 28_561_500) <= 2 } == true)
  }

  @Test(
    "Section 4.3.2: startup lets the rate grow by more than a quarter in each round, and ends after three rounds without a quarter more"
  )
  func startup() {
    var path = RatePath(.bbr)
    var rounds: [UInt16: Float] = [:]
    let ends = path.run(.seconds(5)) {
      rounds[$0.control.bbr.round] = $0.control.bbr.rates.value
      return $0.control.bbr.mode != .startup
    }
    #expect(ends && path.control.bbr.mode == .drain)
    #expect(path.control.bbr.flags.contains(.pipeIsFull))
    let last = path.control.bbr.round
    // Ten segments in the first round, so fifty in the fourth or fifth; then three rounds.
    #expect((5...8).contains(last), "\(last)")
    for round in 2...last where (rounds[round - 1] ?? 0) < 1_000_000 / 1.25 {
      #expect((rounds[round] ?? 0) / (rounds[round - 1] ?? 1) > 1.25, "\(rounds)")
    }
    #expect(abs(Double(path.control.deliveryRate) / 1_250_000 - 1) < 0.02)
    #expect(path.longestQueue <= 2 * path.pipe + 20_000, "\(path.longestQueue)")
  }

  @Test("Section 4.3.3: drain goes on until no more is in flight than the path holds, at 1/2.885 of the rate")
  func drain() {
    var path = RatePath(.bbr)
    path.run(.seconds(5)) { $0.control.bbr.mode == .drain }
    #expect(abs(path.control.bbr.pacingGain * 2.885 - 1) < 1e-6)
    #expect(path.control.pacingRate.map { abs(Double($0) / (1_250_000 * 0.99 / 2.885) - 1) < 0.02 } == true)
    #expect(path.inFlight > path.pipe)
    path.run(.seconds(5)) { $0.control.bbr.mode != .drain }
    #expect(path.control.bbr.mode == .probeBandwidth)
    // Two segments three times are made ready at once.
    #expect(path.inFlight <= path.pipe + 7_000)
  }

  @Test("Section 4.3.4: 1.25, 0.75 and six times 1, each for the shortest round trip, the window at twice the path")
  func cycle() {
    var path = RatePath.steadyBBR()
    path.run(.seconds(1)) { $0.control.bbr.place == 7 }
    path.run(.seconds(1)) { $0.control.bbr.place == 0 }
    var spans: [(place: UInt8, gain: Float, began: Instant)] = [(0, path.control.bbr.pacingGain, path.now)]
    path.run(.seconds(2)) {
      let model = $0.control.bbr
      if spans.last?.place != model.place { spans.append((model.place, model.pacingGain, $0.now)) }
      return spans.count == 10
    }
    #expect(spans.prefix(9).map(\.place) == [0, 1, 2, 3, 4, 5, 6, 7, 0])
    #expect(spans.prefix(9).map(\.gain) == [1.25, 0.75, 1, 1, 1, 1, 1, 1, 1.25])
    for (span, next) in zip(spans.dropFirst(2), spans.dropFirst(3)).prefix(6) {
      let took = next.began - span.began
      #expect(took >= .milliseconds(40) && took <= .milliseconds(43), "\(span.place): \(took)")
    }
    #expect(path.control.window >= 2 * path.pipe * 98 / 100)
    #expect(path.control.window <= 2 * path.pipe + 10_000)
  }

  @Test("A path of a rate is filled, the rate is known to a hundredth, and no more waits than the path holds")
  func steadyState() {
    var path = RatePath.steadyBBR()
    path.resetQueue()
    let before = path.delivered
    path.run(.seconds(5))
    #expect(abs(Double(path.control.deliveryRate) / 1_250_000 - 1) < 0.01)
    #expect(Double(path.delivered - before) / 5 >= 0.97 * 1_250_000)
    #expect(path.longestQueue <= path.pipe, "\(path.longestQueue)")
  }

  @Test("Section 4.3.5: ten seconds after the shortest round trip four segments are in flight, for 200 ms and a round")
  func probeRoundTrip() {
    var path = RatePath(.bbr)
    // A bit of a queue that others leave for ever: the shortest round trip is not seen again.
    path.run(.seconds(4))
    path.roundTrip = .milliseconds(48)
    #expect(path.control.bbr.roundTrip <= 41_000)
    let found = path.run(.seconds(11)) { $0.control.isProbingRoundTrip }
    #expect(found)
    let (window, began) = (Int(path.control.bbr.priorWindow), path.now)
    #expect(path.control.window == 4000)
    #expect(window > 2 * 48_000)
    let rate = path.control.deliveryRate
    path.run(.seconds(2)) { !$0.control.isProbingRoundTrip }
    let took = path.now - began
    #expect(took > .milliseconds(240) && took < .milliseconds(420), "\(took)")
    #expect(path.control.bbr.mode == .probeBandwidth)
    #expect(path.control.window >= window)
    // Measured without a queue; and what four segments were delivered by was not believed.
    #expect(path.control.bbr.roundTrip >= 48_000 && path.control.bbr.roundTrip <= 50_000)
    #expect(Double(path.control.deliveryRate) >= 0.95 * Double(rate))
  }

  @Test("A path that carries twice as much is filled within some cycles; one that carries half, known after ten rounds")
  func changes() {
    var path = RatePath.steadyBBR()
    path.rate *= 2
    path.run(.seconds(4))
    #expect(abs(Double(path.control.deliveryRate) / 2_500_000 - 1) < 0.05)
    path.rate /= 2
    path.run(.seconds(3))
    #expect(abs(Double(path.control.deliveryRate) / 1_250_000 - 1) < 0.05)
  }

  @Test("One loss in fifty costs no more than what is lost")
  func losses() {
    var path = RatePath.steadyBBR()
    path.loses = 50
    let before = path.delivered
    path.run(.seconds(5))
    #expect(Double(path.delivered - before) / 5 >= 0.9 * 1_250_000)
    #expect(path.control.window > path.pipe)
  }

  @Test(
    "Section 4.2.3.4: for the first round of a recovery no more leaves than arrives; at its end the window is as before"
  )
  func recovery() {
    var path = RatePath.steadyBBR()
    let window = path.control.window
    path.control.lossDetected(inFlight: 50_000, now: path.now)
    var sample = RateSample()
    (sample.newlyDelivered, sample.newlyLost, sample.inFlight) = (2000, 3000, 40_000)
    path.control.sampled(sample, now: path.now)
    #expect(path.control.window == 42_000)
    (sample.newlyLost, sample.inFlight) = (0, 41_000)
    path.control.sampled(sample, now: path.now)
    #expect(path.control.window == 43_000)
    path.control.recoveryEnded()
    path.control.sampled(sample, now: path.now)
    #expect(path.control.window >= min(window, 2 * path.pipe))
  }

  @Test("A timeout leaves a segment, then four; at its end the window is as before, at once if it was none")
  func timeout() {
    for isUndone in [true, false] {
      var path = RatePath.steadyBBR()
      let window = path.control.window
      path.control.timedOut(inFlight: 50_000, now: path.now)
      #expect(path.control.window == 1000)
      #expect(path.control.canUndo)
      var sample = RateSample()
      sample.newlyDelivered = 1000
      path.control.sampled(sample, now: path.now)
      #expect(path.control.window == 4000)
      if isUndone { path.control.undo() } else { path.control.recoveryEnded() }
      path.control.sampled(sample, now: path.now)
      #expect(path.control.window >= window - 1000)
    }
  }

  @Test("A mark is answered as a loss is: a round in which no more leaves than arrives")
  func mark() {
    var path = RatePath.steadyBBR()
    let window = path.control.window
    path.control.congestionExperienced(now: path.now)
    #expect(path.control.phase == .reduced)
    var sample = RateSample()
    (sample.newlyDelivered, sample.inFlight) = (1000, 30_000)
    path.control.sampled(sample, now: path.now)
    #expect(path.control.window == 31_000)
    path.control.recoveryEnded()
    path.control.sampled(sample, now: path.now)
    #expect(path.control.window >= window - 1000)
  }

  @Test("Who has little to send learns no rate from it, and goes on from a pause at the rate that is known")
  func applicationLimited() {
    var path = RatePath.steadyBBR()
    let rate = path.control.deliveryRate
    // A tenth of the path, twenty rounds long.
    path.supply = path.sent
    for _ in 0..<20 {
      path.supply = path.supply.map { $0 + 5_000 }
      path.run(.milliseconds(45))
    }
    #expect(path.control.deliveryRate >= rate * 99 / 100)
    path.supply = path.supply.map { $0 + 20_000 }
    path.control.restarted(roundTrip: .zero, isApplicationLimited: true, now: path.now)
    #expect(path.control.pacingRate.map { abs(Double($0) / (0.99 * Double(rate)) - 1) < 0.02 } == true)
  }

  @Test("Startup does not end because there is little to send")
  func limitedStartup() {
    var path = RatePath(.bbr)
    path.supply = 0
    for _ in 0..<30 {
      path.supply = path.supply.map { $0 + 4_000 }
      path.run(.milliseconds(60))
    }
    #expect(path.control.bbr.mode == .startup)
    path.supply = nil
    path.run(.seconds(2))
    #expect(abs(Double(path.control.deliveryRate) / 1_250_000 - 1) < 0.02)
  }

  @Test("Another algorithm goes on with the window, and what comes back to BBR begins anew")
  func change() {
    var path = RatePath.steadyBBR()
    let window = path.control.window
    path.control.changed(algorithm: .cubic)
    #expect(path.control.window == window && path.control.pacingRate == nil && path.control.deliveryRate == 0)
    path.control.changed(algorithm: .bbr)
    #expect(path.control.bbr.mode == .startup && path.control.deliveryRate == 0)
  }

  @Test("A window in octets is never more than can be, whatever the numbers")
  func bounds() {
    #expect(BBR.octets(.nan) == 1 << 30)
    #expect(BBR.octets(.infinity) == 1 << 30)
    #expect(BBR.octets(-1) == 0)
    #expect(BBR.octets(12.9) == 12)
  }
}
