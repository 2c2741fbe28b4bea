// SPDX-License-Identifier: Apache-2.0

import Testing
import Timekeeping

@testable import CongestionControl

/// Against draft-ietf-ccwg-bbr-06, sections 5.3.3 and 5.5.10; 1.25 MB/s (10 Mbit/s) and 40 ms hold 50 segments.
@Suite("BBR, version 3: losses")
struct BBR3LossTests {
  private func loss(_ path: RatePath, lost: Int = 1000, of inFlight: Int = 60_000) -> LossSample {
    var loss = LossSample()
    (loss.octets, loss.lost, loss.inFlightAtSend) = (1000, lost, inFlight)
    loss.total = path.control.bbr3.total
    return loss
  }

  /// A round of losses ends, in which so much was delivered in 40 ms.
  private func endLossRound(_ path: inout RatePath, delivered: Int) {
    var sample = RateSample()
    sample.priorTotal = path.control.bbr3.lossRoundEnd
    (sample.total, sample.newlyDelivered) = (sample.priorTotal &+ UInt32(delivered), 1000)
    (sample.delivered, sample.interval, sample.inFlight) = (delivered, .milliseconds(40), 60_000)
    path.control.sampled(sample, now: path.now)
  }

  @Test(
    "Section 5.5.10.2: what was in flight where losses came to 2 % is found within a burst",
    arguments: [(1_000, 3_000, 100_000, 99_000), (40_000, 40_000, 100_000, 61_224), (40_000, 41_000, 100_000, 60_204)])
  func interpolation(octets: Int, lost: Int, inFlight: Int, expected: Int) {
    #expect(BBR3.inFlightAtLoss(octets: octets, lost: lost, inFlight: inFlight) == expected)
  }

  @Test("More than 2 % lost is too much, 2 % are not; without SACK anything")
  func threshold() {
    #expect(BBR3.isTooMuch(lost: 2_001, of: 100_000, isSelective: true))
    #expect(!BBR3.isTooMuch(lost: 2_000, of: 100_000, isSelective: true))
    #expect(BBR3.isTooMuch(lost: 1, of: 100_000, isSelective: false))
    #expect(!BBR3.isTooMuch(lost: 0, of: 100_000, isSelective: false))
    #expect(!BBR3.isTooMuch(lost: .min, of: .max, isSelective: true))
  }

  @Test("Losses beyond 2 % end a probe at once, and what was in flight becomes the bound; at least 0.7 of the path")
  func tooHigh() {
    var path = RatePath.steadyBBR3(.up)
    path.control.lost(loss(path, lost: 1_000, of: 80_000), now: path.now)
    #expect(path.control.bbr3.state == .up && path.control.bbr3.longTermInFlight == BBR3.unbounded)
    path.control.lost(loss(path, lost: 2_000, of: 80_000), now: path.now)
    // One segment lost before, of 79: that is 1.3 %; 592 octets more are 2 %.
    #expect(path.control.bbr3.state == .down && path.control.bbr3.longTermInFlight == 79_000 + 591)
    // Once for a probe.
    path.control.lost(loss(path, lost: 20_000, of: 50_000), now: path.now)
    #expect(path.control.bbr3.longTermInFlight == 79_591)
    var small = RatePath.steadyBBR3(.up)
    small.control.lost(loss(small, lost: 4_000, of: 5_000), now: small.now)
    #expect(abs(Int(small.control.bbr3.longTermInFlight) - 51_000 * 7 / 10) <= 1_000)
    // Who has little to send has shown nothing of what there is room for.
    var limited = RatePath.steadyBBR3(.up)
    var loss = loss(limited, lost: 4_000, of: 5_000)
    loss.isApplicationLimited = true
    limited.control.lost(loss, now: limited.now)
    #expect(limited.control.bbr3.state == .down && limited.control.bbr3.longTermInFlight == BBR3.unbounded)
  }

  @Test(
    "Section 5.5.10.3: otherwise a round with a loss brings rate and flight down to what was delivered in it, not below 0.7; refill forgets it"
  )
  func shortTerm() {
    var path = RatePath.steadyBBR3()
    path.run(.milliseconds(100))
    let (rate, window) = (Double(path.control.deliveryRate), path.control.window)
    path.control.lost(loss(path), now: path.now)
    endLossRound(&path, delivered: 10_000)
    // What was delivered before it is still the most of that round.
    #expect(abs(Double(path.control.bbr3.shortTermRate) / rate - 1) < 0.02)
    path.control.lost(loss(path), now: path.now)
    endLossRound(&path, delivered: 10_000)
    #expect(abs(Double(path.control.bbr3.shortTermRate) / rate - 0.7) < 0.02)
    let first = path.control.bbr3.shortTermInFlight
    #expect(abs(Double(first) / Double(window) - 0.49) < 0.02)
    #expect(path.control.pacingRate.map { abs(Double($0) / (0.99 * 0.7 * rate) - 1) < 0.02 } == true)
    path.control.lost(loss(path), now: path.now)
    endLossRound(&path, delivered: 48_000)
    #expect(path.control.bbr3.shortTermInFlight == max(48_000, UInt32(Float(first) * 0.7)))
    // A round without one changes nothing.
    endLossRound(&path, delivered: 10_000)
    #expect(path.control.bbr3.shortTermInFlight == max(48_000, UInt32(Float(first) * 0.7)))
    path.run(.seconds(3)) { $0.control.bbr3.state == .refill }
    #expect(path.control.bbr3.shortTermRate == .infinity && path.control.bbr3.shortTermInFlight == BBR3.unbounded)
    #expect(path.control.bbr3.largestRate >= Float(rate) * 0.99)
  }

  @Test("A short queue is learnt: the bound is what path and queue hold, 15 % of it stay free, and little is lost")
  func shortQueue() {
    var path = RatePath(.bbr3, buffer: 25_000)
    path.run(.seconds(6))
    path.run(.seconds(5)) { $0.control.bbr3.state == .cruise }
    let model = path.control.bbr3
    #expect(abs(Double(model.longTermInFlight) / 76_000 - 1) < 0.1, "\(model.longTermInFlight)")
    path.run(.milliseconds(100))
    let bound = Int(path.control.bbr3.longTermInFlight)
    #expect(path.control.window <= bound - bound * 15 / 100)
    let (delivered, lost) = (path.delivered, path.lost)
    path.run(.seconds(10))
    #expect(Double(path.delivered - delivered) / 10 >= 0.93 * 1_250_000)
    #expect(path.lost - lost <= (path.delivered - delivered) / 200, "\(path.lost - lost)")
  }

  @Test(
    "Section 5.3.3.4.2: after a probe that went too high the next stops at the bound; if nothing is lost, a whole one follows at once"
  )
  func precaution() {
    var path = RatePath.steadyBBR3(.up, buffer: 25_000)
    path.run(.seconds(5)) { $0.control.bbr3.state == .down }
    #expect(path.control.bbr3.flags.contains(.probeWasTooHigh))
    path.run(.seconds(1)) { $0.control.bbr3.state == .cruise }
    // The queue is longer now.
    path.buffer = nil
    path.run(.seconds(8)) { $0.control.bbr3.state == .up }
    let bound = path.control.bbr3.longTermInFlight
    path.run(.seconds(1)) { $0.control.bbr3.state == .down }
    #expect(path.control.bbr3.flags.contains(.probeWasPrecautionary))
    #expect(path.control.bbr3.longTermInFlight <= bound + 2_000)
    let stopped = path.now
    path.run(.seconds(1)) { $0.control.bbr3.state == .refill }
    #expect(path.now - stopped <= .milliseconds(150), "\(path.now - stopped)")
    path.run(.seconds(1)) { $0.control.bbr3.state == .up }
    let again = path.now
    path.run(.seconds(3)) { $0.control.bbr3.state == .down }
    #expect(!path.control.bbr3.flags.contains(.probeWasPrecautionary))
    #expect(path.now - again >= .milliseconds(120), "\(path.now - again)")
    #expect(path.control.bbr3.longTermInFlight > bound)
  }

  @Test(
    "Section 5.3.3.4.1: the bound grows by one segment in the first round of a probe that fills the window, then by two, four and eight"
  )
  func slope() {
    var model = BBR3()
    (model.state, model.flags) = (.refill, [.fullRateReached])
    (model.longTermInFlight, model.cycleRate, model.roundTrip) = (100_000, 2_500_000, 40_000)
    var bounds: [Int] = []
    for round in 0..<5 {
      for place in 0..<100 {
        let path = BBRPath(window: Int(model.longTermInFlight), segmentSize: 1000, initialWindow: 10_000)
        var sample = RateSample()
        let total = UInt32(round * 100_000 + place * 1000)
        (sample.total, sample.newlyDelivered, sample.priorInFlight) = (total + 1000, 1000, path.window)
        (sample.priorTotal, sample.delivered) = (total &- 99_000, 100_000)
        if place == 0 { sample.priorTotal = model.roundEnd }
        (sample.interval, sample.inFlight) = (.milliseconds(40), 99_000)
        (sample.inFlightAtSend, sample.lost) = (100_000, 0)
        _ = model.sampled(sample, path: path, phase: .open, now: Instant(nanoseconds: Int64(round) * 40_000_000))
      }
      #expect(model.state == .up)
      bounds.append(Int(model.longTermInFlight))
    }
    let steps = zip(bounds, [100_000] + bounds).map { $0 - $1 }
    #expect(steps.first.map { (0...1_000).contains($0) } == true, "\(steps)")
    #expect(zip(steps.dropFirst(), [2_000, 4_000, 8_000, 16_000]).allSatisfy { abs($0 - $1) <= 2_000 }, "\(steps)")
  }

  @Test("Section 5.5.11: losses that were none bring back startup, a probe, the bounds and the window")
  func spurious() {
    var path = RatePath(.bbr3)
    path.run(.milliseconds(150))
    var without = RateSample()
    (without.newlyLost, without.inFlight, without.hasSelectiveAcknowledgments) = (1000, 200_000, false)
    path.control.lost(loss(path), now: path.now)
    path.control.lossDetected(inFlight: 50_000, now: path.now)
    path.control.sampled(without, now: path.now)
    #expect(path.control.bbr3.state == .drain)
    path.control.undo()
    #expect(path.control.bbr3.state == .startup && !path.control.bbr3.flags.contains(.fullRateReached))
    #expect(path.control.bbr3.longTermInFlight == BBR3.unbounded)

    var probing = RatePath.steadyBBR3(.up)
    let window = probing.control.window
    probing.control.lost(loss(probing, lost: 10_000), now: probing.now)
    probing.control.lossDetected(inFlight: 50_000, now: probing.now)
    #expect(probing.control.bbr3.state == .down && probing.control.bbr3.longTermInFlight < 60_000)
    // Losses of later rounds are of the same recovery.
    endLossRound(&probing, delivered: 10_000)
    probing.control.lost(loss(probing), now: probing.now)
    endLossRound(&probing, delivered: 10_000)
    probing.control.undo()
    let model = probing.control.bbr3
    #expect(model.state == .refill && model.longTermInFlight == BBR3.unbounded && model.shortTermRate == .infinity)
    #expect(probing.control.window >= window)
  }

  @Test("A mark is congestion: it ends startup, ends a probe, and otherwise is answered as a loss")
  func mark() {
    var starting = RatePath(.bbr3)
    starting.run(.milliseconds(150))
    starting.control.congestionExperienced(now: starting.now)
    #expect(starting.control.bbr3.state == .drain && starting.control.bbr3.longTermInFlight != BBR3.unbounded)
    var probing = RatePath.steadyBBR3(.up)
    probing.control.congestionExperienced(now: probing.now)
    #expect(probing.control.bbr3.state == .down)
    #expect(abs(Double(probing.control.bbr3.longTermInFlight) / 51_000 - 1) < 0.1)
    var cruising = RatePath.steadyBBR3()
    let window = cruising.control.window
    cruising.control.congestionExperienced(now: cruising.now)
    endLossRound(&cruising, delivered: 10_000)
    #expect(cruising.control.bbr3.shortTermInFlight < UInt32(window) * 3 / 4)
  }

  @Test("A timeout holds the window down, and no probe begins meanwhile")
  func noProbeAfterTimeout() {
    var path = RatePath.steadyBBR3()
    path.control.timedOut(inFlight: 50_000, now: path.now)
    for _ in 0..<80 {
      var sample = RateSample()
      sample.priorTotal = path.control.bbr3.total
      (sample.total, sample.newlyDelivered) = (sample.priorTotal &+ 1_000, 1_000)
      (sample.delivered, sample.interval) = (1_000, .milliseconds(40))
      path.now = path.now + .milliseconds(40)
      path.control.sampled(sample, now: path.now)
      #expect(!path.control.bbr3.state.isAccelerating)
    }
    path.control.recoveryEnded()
    path.run(.milliseconds(200)) { $0.control.bbr3.state == .refill }
    #expect(path.control.bbr3.state == .refill)
  }

  @Test("One loss in two hundred costs little")
  func someLosses() {
    var path = RatePath.steadyBBR3()
    path.loses = 200
    let before = path.delivered
    path.run(.seconds(10))
    #expect(Double(path.delivered - before) / 10 >= 0.8 * 1_250_000)
  }
}
