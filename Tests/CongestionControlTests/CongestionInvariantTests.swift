// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import FrameSupport
import Testing
import Timekeeping

/// Anything in any order.
@Suite("Congestion control: what always holds")
struct CongestionInvariantTests {
  private static let numbers = [
    Int.min, -1, 0, 1, 999, 1000, 1001, 65_535, 1 << 20, 1 << 31, 1 << 32, 1 << 40, .max,
  ]

  private func anyKnobs(_ random: inout SplitMix64) -> CongestionKnobs {
    var knobs = CongestionKnobs()
    knobs.algorithm = CongestionAlgorithm.allCases.randomElement(using: &random) ?? .cubic
    knobs.byteCountingLimit = .random(in: 0...(.max), using: &random)
    knobs.initialWindow = .random(in: 0...(.max), using: &random)
    knobs.keepFactor = .random(in: 0...(.max), using: &random)
    knobs.usesHyStart = .random(using: &random)
    knobs.additiveIncrease = .random(in: 0...(.max), using: &random)
    knobs.slowStartThreshold = .random(in: 0...(.max), using: &random) >> UInt32.random(in: 0...31, using: &random)
    knobs.maximumWindow = .random(in: 0...(.max), using: &random) >> UInt32.random(in: 0...31, using: &random)
    return knobs
  }

  private func step(_ control: inout CongestionControl, now: Instant, random: inout SplitMix64) {
    let number = Self.numbers.randomElement(using: &random) ?? 0
    let bytes = Bool.random(using: &random) ? number : Int.random(in: 0...100_000, using: &random)
    switch Int.random(in: 0..<36, using: &random) {
    case 0: control.lossDetected(inFlight: bytes, now: now)
    case 1: control.recoveryEnded()
    case 2: control.timedOut(inFlight: bytes, now: now)
    case 3: control.congestionExperienced(now: now)
    case 4: control.undo()
    case 5: control.idle(for: .nanoseconds(Int64(bytes)))
    case 6: control.changed(algorithm: CongestionAlgorithm.allCases.randomElement(using: &random) ?? .none)
    case 7: control.changed(knobs: anyKnobs(&random))
    case 8: control.segmentSizeChanged(to: bytes)
    case 9:
      control.restarted(roundTrip: .nanoseconds(Int64(bytes)), isApplicationLimited: .random(using: &random), now: now)
    case 10: control.lost(anyLoss(&random), now: now)
    case 11..<16: control.sampled(anySample(&random), now: now)
    case 16..<20:
      control.delivered(
        bytes: bytes, roundTrip: .nanoseconds(Int64(Self.numbers.randomElement(using: &random) ?? 0)),
        sample: .random(using: &random) ? nil : .nanoseconds(Int64(Self.numbers.randomElement(using: &random) ?? 0)),
        now: now)
    default:
      control.acknowledged(
        bytes: bytes, roundTrip: .nanoseconds(Int64(Self.numbers.randomElement(using: &random) ?? 0)),
        sample: .random(using: &random) ? nil : .nanoseconds(Int64(Self.numbers.randomElement(using: &random) ?? 0)),
        beginsRound: .random(using: &random),
        isWindowLimited: .random(using: &random), now: now)
    }
  }

  private func anyLoss(_ random: inout SplitMix64) -> LossSample {
    func any() -> Int { Self.numbers.randomElement(using: &random) ?? 0 }
    var loss = LossSample()
    (loss.octets, loss.lost, loss.inFlightAtSend) = (any(), any(), .random(using: &random) ? any() : nil)
    loss.total = UInt32(truncatingIfNeeded: any())
    loss.isApplicationLimited = .random(using: &random)
    loss.hasSelectiveAcknowledgments = .random(using: &random)
    return loss
  }

  private func anySample(_ random: inout SplitMix64) -> RateSample {
    func any() -> Int {
      .random(using: &random)
        ? Self.numbers.randomElement(using: &random) ?? 0 : .random(in: 0...100_000, using: &random)
    }
    var sample = RateSample()
    (sample.delivered, sample.newlyDelivered, sample.newlyLost) = (any(), any(), any())
    (sample.priorInFlight, sample.inFlight) = (any(), any())
    (sample.interval, sample.roundTrip) = (.nanoseconds(Int64(any())), .nanoseconds(Int64(any())))
    (sample.priorTotal, sample.total) = (UInt32(truncatingIfNeeded: any()), UInt32(truncatingIfNeeded: any()))
    (sample.lost, sample.inFlightAtSend) = (any(), .random(using: &random) ? any() : nil)
    sample.isApplicationLimited = .random(using: &random)
    sample.hasSelectiveAcknowledgments = .random(using: &random)
    return sample
  }

  @Test(
    "A segment <= window <= maximum, threshold >= two segments, and nothing traps", arguments: 0..<40 as Range<UInt64>)
  func invariants(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for _ in 0..<10 {
      let knobs = anyKnobs(&random)
      var control = CongestionControl(knobs: knobs, segmentSize: .random(in: -1...70_000, using: &random))
      var now = Instant(nanoseconds: 0)
      for _ in 0..<500 {
        step(&control, now: now, random: &random)
        let jump = Int64(Self.numbers.randomElement(using: &random) ?? 0)
        now = .random(using: &random) ? Instant(nanoseconds: jump) : now + .milliseconds(jump % 1000)
        #expect(control.segmentSize >= 1 && control.segmentSize <= 65_535)
        #expect(control.slowStartThreshold >= 2 * control.segmentSize)
        #expect(control.window >= control.segmentSize)
        #expect(control.pacingRate.map { $0 >= 1 && $0 <= Pacer.unlimited } ?? true)
        if control.algorithm == .none {
          #expect(control.window == CongestionControl.unlimited)
        } else {
          #expect(control.window <= 1 << 30)
        }
      }
    }
  }

  @Test(
    "No event but an undo, a change of policy or an acknowledgment lets the window grow",
    arguments: 0..<20 as Range<UInt64>)
  func noGrowth(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for algorithm in CongestionAlgorithm.allCases where algorithm != .none {
      var sender = Sender(Sender.knobs(algorithm, window: 100))
      for _ in 0..<300 {
        let before = sender.control.window
        switch Int.random(in: 0..<5, using: &random) {
        case 0: sender.control.lossDetected(inFlight: .random(in: 0...1_000_000, using: &random), now: sender.now)
        case 1: sender.control.timedOut(inFlight: .random(in: 0...1_000_000, using: &random), now: sender.now)
        case 2: sender.control.congestionExperienced(now: sender.now)
        case 3: sender.control.idle(for: .seconds(.random(in: 0...1000, using: &random)))
        default:
          sender.control.recoveryEnded()
          sender.runRoundTrip()
          // Doubling is the most; slow start with L = 2 and acknowledgments of two segments does that.
          #expect(sender.control.window <= 2 * before)
          continue
        }
        #expect(sender.control.window <= before)
      }
    }
  }

  @Test("With the algorithm none nothing limits, and another algorithm finds its window as it was")
  func none() {
    var control = CongestionControl(knobs: Sender.knobs(.cubic, window: 40), segmentSize: 1000)
    let now = Instant(nanoseconds: 0)
    control.changed(algorithm: .none)
    control.lossDetected(inFlight: 1000, now: now)
    control.timedOut(inFlight: 1000, now: now)
    #expect(control.window == CongestionControl.unlimited)
    control.recoveryEnded()
    control.congestionExperienced(now: now)
    control.changed(algorithm: .newReno)
    #expect(control.window == 40_000)
    control.lossDetected(inFlight: 40_000, now: now)
    control.changed(algorithm: .cubic)
    #expect(control.window == 20_000)
    #expect(control.slowStartThreshold == 20_000)
    // The loss can still be undone, and does not bring the algorithm of then back.
    control.undo()
    #expect(control.window == 40_000)
    #expect(control.algorithm == .cubic)
  }

  @Test("A change of the segment size keeps the window in bytes, but not below a segment")
  func segmentSize() {
    var control = CongestionControl(knobs: Sender.knobs(.cubic, window: 10), segmentSize: 1000)
    control.segmentSizeChanged(to: 500)
    #expect(control.window == 10_000)
    control.timedOut(inFlight: 0, now: Instant(nanoseconds: 0))
    #expect(control.window == 500)
    control.segmentSizeChanged(to: 9000)
    #expect(control.window == 9000)
    #expect(control.slowStartThreshold == 18_000)
  }

  @Test("They fit where they are to lie") func sizes() {
    #expect(MemoryLayout<CongestionControl>.size <= 288)
    #expect(MemoryLayout<ProportionalRateReduction>.size <= 16)
    #expect(MemoryLayout<Pacer>.size <= 16)
    #expect(MemoryLayout<CongestionKnobs>.size <= 40)
  }
}
