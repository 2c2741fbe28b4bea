// SPDX-License-Identifier: Apache-2.0

import Testing
import Timekeeping

@testable import CongestionControl

/// Against draft-ietf-ccwg-bbr-06, its example test cases (appendix A) among them; 1.25 MB/s (10 Mbit/s) and 40 ms hold 50 segments.
@Suite("BBR, version 3: states")
struct BBR3Tests {
  /// States in order, and when each began.
  private func states(_ path: inout RatePath, _ time: Interval) -> [(state: BBR3State, began: Instant, window: Int)] {
    var seen = [(state: path.control.bbr3.state, began: path.now, window: path.control.window)]
    path.run(time) {
      let state = $0.control.bbr3.state
      if seen.last?.state != state { seen.append((state, $0.now, $0.control.window)) }
      return false
    }
    return seen
  }

  @Test("Section 5.6.2: the first rate is the initial window in the round trip, times 2.77")
  func firstRate() {
    var path = RatePath(.bbr3)
    #expect(path.control.pacingRate == nil)
    path.control.restarted(roundTrip: .milliseconds(40), isApplicationLimited: false, now: path.now)
    #expect(path.control.pacingRate.map { abs($0 - 692_500) <= 1 } == true)
    path.control = CongestionControl(knobs: Sender.knobs(.bbr3), segmentSize: 1000)
    path.control.restarted(roundTrip: .zero, isApplicationLimited: false, now: path.now)
    #expect(path.control.pacingRate.map { abs($0 - 27_700_000) <= 2 } == true)
  }

  @Test(
    "Section 5.3.1: startup paces at 2.77, with twice the path in flight, until the rate has grown by less than a quarter in three rounds"
  )
  func startup() {
    var path = RatePath(.bbr3)
    var rounds: [UInt16: Float] = [:]
    let ends = path.run(.seconds(5)) {
      rounds[$0.control.bbr3.round] = $0.control.bbr3.largestRate
      return $0.control.bbr3.state != .startup
    }
    let model = path.control.bbr3
    #expect(ends && model.state == .drain && model.flags.isSuperset(of: [.fullRateNow, .fullRateReached]))
    #expect((5...9).contains(model.round), "\(model.round)")
    for round in 2...model.round where (rounds[round - 1] ?? 0) < 1_000_000 / 1.25 {
      #expect((rounds[round] ?? 0) / (rounds[round - 1] ?? 1) > 1.25, "\(rounds)")
    }
    #expect(Double(path.control.deliveryRate).isNear(1_250_000, 0.02))
    #expect(path.longestQueue <= path.pipe + 10_000, "\(path.longestQueue)")
    #expect(BBR3().pacingGain == 2.77 && BBR3().currentWindowGain == 2)
  }

  @Test(
    "Section 5.3.1.3: in a recovery of a round more than 2 % of six ranges end startup, fewer or less do not",
    arguments: [(6, 2_100, true), (5, 50_000, false), (6, 2_000, false), (6, 50_000, true)])
  func lossyStartup(ranges: Int, lost: Int, ends: Bool) {
    var path = RatePath(.bbr3)
    path.run(.milliseconds(100))
    var sample = RateSample()
    let total = path.control.bbr3.total
    for range in 0..<ranges * 2 {
      var loss = LossSample()
      (loss.octets, loss.total, loss.beginsRange) = (1000, total, range % 2 == 0)
      path.control.lost(loss, now: path.now)
    }
    path.control.lossDetected(inFlight: 50_000, now: path.now)
    (sample.priorTotal, sample.total, sample.newlyDelivered) = (total &- 1, total &+ 1000, 1000)
    (sample.delivered, sample.interval) = (60_000, .milliseconds(40))
    (sample.inFlightAtSend, sample.lost, sample.inFlight) = (100_000, lost, 200_000)
    path.control.sampled(sample, now: path.now)
    // The round is not over.
    #expect(path.control.bbr3.state == .startup)
    (sample.priorTotal, sample.total) = (total, total &+ 2000)
    path.control.sampled(sample, now: path.now)
    #expect((path.control.bbr3.state == .drain) == ends)
    #expect(path.control.bbr3.flags.contains(.fullRateReached) == ends)
    let model = path.control.bbr3
    let pipe = model.pipe(path.control.path, rate: model.rate)
    #expect(model.longTermInFlight == (ends ? UInt32(max(pipe, 60_000)) : BBR3.unbounded))
  }

  @Test("Without SACK any loss in a recovery ends startup")
  func startupWithoutSACK() {
    var path = RatePath(.bbr3)
    path.run(.milliseconds(100))
    path.control.lossDetected(inFlight: 50_000, now: path.now)
    var sample = RateSample()
    (sample.newlyLost, sample.inFlight, sample.hasSelectiveAcknowledgments) = (1000, 200_000, false)
    path.control.sampled(sample, now: path.now)
    #expect(path.control.bbr3.state == .drain)
  }

  @Test("Section 5.3.2: drain paces at half of the rate, until no more is in flight than the path holds")
  func drain() {
    var path = RatePath(.bbr3)
    path.run(.seconds(5)) { $0.control.bbr3.state == .drain }
    #expect(path.control.bbr3.pacingGain == 0.5)
    #expect(path.control.pacingRate.map { Double($0).isNear(1_250_000 * 0.99 / 2, 0.02) } == true)
    #expect(path.inFlight > path.pipe)
    path.run(.seconds(5)) { $0.control.bbr3.state != .drain }
    #expect(path.inFlight <= path.pipe + 7_000)
  }

  @Test("Section 5.3.2: or more than three rounds")
  func longDrain() {
    var path = RatePath(.bbr3)
    path.run(.seconds(5)) { $0.control.bbr3.state == .drain }
    var rounds = 0
    while path.control.bbr3.state == .drain, rounds < 10 {
      rounds += 1
      var sample = RateSample()
      sample.priorTotal = path.control.bbr3.total
      (sample.total, sample.newlyDelivered) = (sample.priorTotal &+ 50_000, 50_000)
      (sample.delivered, sample.interval, sample.inFlight) = (50_000, .milliseconds(40), 200_000)
      path.control.sampled(sample, now: path.now)
    }
    #expect(rounds == 4 && path.control.bbr3.state == .down)
  }

  @Test(
    "Section 5.3.3: down at 0.9, cruise at 1, refill at 1 for a round, up at 1.25 with 2.25 of the window, and again")
  func cycle() {
    // After it there is time for a cycle until the next.
    var path = RatePath.steadyBBR3(.probeRoundTrip)
    path.run(.seconds(4)) { $0.control.bbr3.state == .up }
    #expect(path.control.bbr3.pacingGain == 1.25 && path.control.bbr3.currentWindowGain == 2.25)
    var states = states(&path, .milliseconds(2_500))
    states += self.states(&path, .seconds(5)).drop { $0.state != .refill }
    #expect(states.map(\.state).prefix(5) == [.up, .down, .cruise, .refill, .up], "\(states)")
    for (one, next) in zip(states, states.dropFirst()) where one.state == .refill {
      #expect(next.began - one.began >= .milliseconds(40) && next.began - one.began <= .milliseconds(44))
    }
    // Three rounds without more.
    let up = states[1].began - states[0].began
    #expect(up >= .milliseconds(120) && up <= .milliseconds(200), "\(up)")
    var model = BBR3()
    let gains = [BBR3State.down, .cruise, .refill, .up].map { state -> Float in
      model.state = state
      return model.pacingGain
    }
    #expect(gains == [0.9, 1, 1, 1.25])
  }

  @Test(
    "Section 5.3.3.5.3: two to three seconds lie between probes, by chance, or as many rounds as the path holds segments"
  )
  func probeWaits() {
    func waits(_ path: inout RatePath, _ time: Interval) -> [(time: Interval, rounds: UInt8)] {
      var waits: [(time: Interval, rounds: UInt8)] = []
      var last = BBR3State.startup
      path.run(time) {
        let model = $0.control.bbr3
        if model.state == .refill, last != .refill { waits.append(($0.now - model.stamp, model.roundsSinceProbe)) }
        last = model.state
        return false
      }
      return waits
    }
    // 125 segments: 63 rounds would be 6.3 s.
    var long = RatePath.steadyBBR3(roundTrip: .milliseconds(100))
    let clock = waits(&long, .seconds(40)).map(\.time)
    #expect(clock.count >= 6 && clock.allSatisfy { $0 >= .seconds(2) && $0 <= .milliseconds(3_110) }, "\(clock)")
    #expect((clock.max() ?? .zero) - (clock.min() ?? .zero) > .milliseconds(200), "\(clock)")
    // 12 segments.
    var short = RatePath.steadyBBR3(roundTrip: .milliseconds(10))
    let rounds = waits(&short, .seconds(4))
    #expect(rounds.count >= 10 && rounds.allSatisfy { (12...14).contains($0.rounds) }, "\(rounds)")
  }

  @Test("A path of a rate is filled, the rate is known to a hundredth, and no more waits than the path holds")
  func steadyState() {
    var path = RatePath.steadyBBR3()
    path.resetQueue()
    let before = path.delivered
    path.run(.seconds(10))
    #expect(Double(path.control.deliveryRate).isNear(1_250_000, 0.01))
    #expect(Double(path.delivered - before) / 10 >= 0.95 * 1_250_000)
    #expect(path.longestQueue <= path.pipe + 10_000, "\(path.longestQueue)")
    #expect(path.control.bbr3.longTermInFlight == BBR3.unbounded)
  }

  @Test("Section 5.3.4: each five seconds half of the path is in flight, for 200 ms and a round")
  func probeRoundTrip() {
    var path = RatePath.steadyBBR3()
    // Others leave a queue for ever: the shortest round trip is not seen again.
    path.roundTrip = .milliseconds(48)
    let states = states(&path, .seconds(30))
    let probes = states.enumerated().filter { $0.element.state == .probeRoundTrip && $0.offset + 1 < states.count }
    #expect(probes.count >= 5, "\(states)")
    for (place, probe) in probes {
      let took = states[place + 1].began - probe.began
      #expect(took >= .milliseconds(200) && took <= .milliseconds(320), "\(took)")
      #expect(Double(probe.window).isNear(1_250_000 * 0.048 / 2, 0.2), "\(probe.window)")
      #expect(states[place + 1].state == .cruise)
      #expect(states[place + 1].window >= 48_000)
    }
    for (one, next) in zip(probes, probes.dropFirst()) {
      let between = next.element.began - one.element.began
      #expect(between >= .seconds(5) && between <= .milliseconds(5_500), "\(between)")
    }
    #expect(Double(path.control.deliveryRate).isNear(1_250_000, 0.02))
  }

  @Test("Section 5.5.7: the shortest round trip is that of ten seconds")
  func roundTripFilter() {
    var path = RatePath.steadyBBR3()
    path.roundTrip = .milliseconds(60)
    let began = path.now
    path.run(.seconds(30)) { $0.control.bbr3.roundTrip >= 60_000 }
    #expect(path.now - began >= .seconds(5) && path.now - began <= .milliseconds(15_500), "\(path.now - began)")
    path.roundTrip = .milliseconds(30)
    path.run(.milliseconds(500))
    #expect(path.control.bbr3.roundTrip < 40_000)
  }

  @Test("Section 5.5.9: acknowledgments in lumps make room for as much as they come ahead, so that the path stays full")
  func lumps() {
    var path = RatePath.steadyBBR3()
    path.lumps = .milliseconds(40)
    path.run(.seconds(2))
    let before = path.delivered
    path.run(.seconds(4))
    #expect(path.control.bbr3.extra.value >= 30_000, "\(path.control.bbr3.extra.value)")
    #expect(path.control.window >= 2 * path.pipe + 30_000)
    #expect(Double(path.delivered - before) / 4 >= 0.9 * 1_250_000)
  }

  @Test("Section 5.5.4: who has little to send learns no rate from it; probes and startup do not end because of it")
  func applicationLimited() {
    var path = RatePath.steadyBBR3()
    let rate = path.control.deliveryRate
    path.supply = path.sent
    for _ in 0..<100 {
      path.supply = path.supply.map { $0 + 5_000 }
      path.run(.milliseconds(45))
    }
    #expect(path.control.deliveryRate >= rate * 99 / 100)
    #expect(path.control.bbr3.state == .up)
    var starting = RatePath(.bbr3)
    starting.supply = 0
    for _ in 0..<30 {
      starting.supply = starting.supply.map { $0 + 4_000 }
      starting.run(.milliseconds(60))
    }
    #expect(starting.control.bbr3.state == .startup)
    starting.supply = nil
    starting.run(.seconds(2))
    #expect(Double(starting.control.deliveryRate).isNear(1_250_000, 0.02))
  }

  @Test(
    "Section 5.4: after a pause it goes on at the rate, and does not look for the round trip, which the pause has shown"
  )
  func idle() {
    var path = RatePath.steadyBBR3()
    path.supply = path.sent
    path.run(.seconds(8))
    path.supply = nil
    var seen: [BBR3State] = []
    path.run(.seconds(1)) {
      seen.append($0.control.bbr3.state)
      return false
    }
    #expect(!seen.isEmpty && !seen.contains(.probeRoundTrip))
    path.control.restarted(roundTrip: .zero, isApplicationLimited: true, now: path.now)
    #expect(path.control.pacingRate.map { Double($0).isNear(0.99 * 1_250_000, 0.02) } == true)
  }

  @Test(
    "Section 5.6.4.4: a timeout leaves a segment, then four; at its end the window is as before, at once if it was none"
  )
  func timeout() {
    for isUndone in [true, false] {
      var path = RatePath.steadyBBR3()
      let window = path.control.window
      path.control.timedOut(inFlight: 50_000, now: path.now)
      #expect(path.control.window == 1000 && path.control.canUndo)
      var sample = RateSample()
      path.control.sampled(sample, now: path.now)
      #expect(path.control.window == 1000)
      sample.newlyDelivered = 1000
      path.control.sampled(sample, now: path.now)
      #expect(path.control.window == 4000)
      if isUndone { path.control.undo() } else { path.control.recoveryEnded() }
      path.control.sampled(sample, now: path.now)
      #expect(path.control.window >= window - 1000)
    }
  }

  @Test("A path that carries a tenth is known within some cycles, and so is one that carries ten times as much")
  func changes() {
    var path = RatePath(.bbr3)
    path.buffer = 100_000
    path.run(.seconds(5))
    path.rate /= 10
    // A queue of 0.8 s makes cycles long.
    path.run(.seconds(15))
    #expect(Double(path.control.deliveryRate).isNear(125_000, 0.1), "\(path.control.deliveryRate)")
    var before = path.delivered
    path.run(.seconds(5))
    #expect(Double(path.delivered - before) / 5 >= 0.85 * 125_000)
    path.rate *= 10
    path.run(.seconds(5))
    #expect(Double(path.control.deliveryRate).isNear(1_250_000, 0.1), "\(path.control.deliveryRate)")
    before = path.delivered
    path.run(.seconds(5))
    #expect(Double(path.delivered - before) / 5 >= 0.85 * 1_250_000)
  }

  @Test("Less than a segment in the round trip: four are in flight, at the path's rate")
  func shortPath() {
    var path = RatePath(rate: 100_000, roundTrip: .milliseconds(1), knobs: Sender.knobs(.bbr3))
    path.run(.seconds(5))
    #expect(path.control.window >= 4_000)
    #expect(Double(path.control.deliveryRate).isNear(100_000, 0.02))
    let before = path.delivered
    path.run(.seconds(4))
    #expect(Double(path.delivered - before) / 4 >= 0.9 * 100_000)
  }

  @Test("Another algorithm goes on with the window, and what comes back begins anew")
  func change() {
    var path = RatePath.steadyBBR3()
    let window = path.control.window
    path.control.changed(algorithm: .cubic)
    #expect(path.control.window == window && path.control.pacingRate == nil && path.control.deliveryRate == 0)
    path.control.changed(algorithm: .bbr3)
    #expect(path.control.bbr3.state == .startup && path.control.deliveryRate == 0)
  }
}
