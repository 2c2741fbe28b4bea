// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Testing

@testable import LargeSend

@Suite("First size: what must not change it")
struct FirstSizeStabilityTests {
  private static let hour = 60 * TunerRun.minute

  @Test(
    "In an hour of noise, all sizes alike, the size changes seldom and is tried for a small part of the time",
    arguments: FirstSizeObjective.allCases, [0.1, 0.2])
  func noise(objective: FirstSizeObjective, noise: Double) {
    for seed in 0..<2 {
      var run = TunerRun(
        FirstSizeTuner(objective: objective, most: 8, present: 4), .alike(seed: seed, noise: noise))
      run.run(Self.hour)
      #expect(run.changes <= 3)
      #expect(run.away * 10 <= run.periods)
      #expect(run.verdicts.count >= 50)
    }
  }

  @Test("Nor in noise that is larger than any difference", arguments: 0..<3)
  func muchNoise(seed: Int) {
    var run = TunerRun(FirstSizeTuner(objective: .mix, most: 8), .alike(seed: seed, noise: 0.6))
    run.run(Self.hour)
    #expect(run.changes <= 10)
    #expect(run.away * 8 <= run.periods)
  }

  @Test("A load that gets lighter or heavier all the time passes for no gain", arguments: FirstSizeObjective.allCases)
  func drift(objective: FirstSizeObjective) {
    var run = TunerRun(
      FirstSizeTuner(objective: objective, most: 8, present: 4), .alike(seed: 3, noise: 0.02))
    // Fourfold in 40 s, and back: beyond 5 % in each block.
    run.run(Self.hour) { load, index in
      let step = index % 320
      load.others = 1 + 3 * Double(step < 160 ? step : 320 - step) / 160
    }
    #expect(run.changes == 0)
  }

  @Test(
    "A load that comes and goes does not keep in step with the trials",
    arguments: [3, 4, 6, 8, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 30, 40])
  func cycles(length: Int) {
    var run = TunerRun(FirstSizeTuner(objective: .mix, most: 8, present: 4), .alike(seed: length, noise: 0.02))
    run.run(Self.hour / 2) { load, index in load.others = index % length < length / 2 ? 1 : 1.5 }
    #expect(run.changes <= 5)
    #expect(run.away * 8 <= run.periods)
  }

  @Test("A load that swings tenfold is not answered with trials all the time")
  func swings() {
    var run = TunerRun(FirstSizeTuner(objective: .cpu, most: 8, present: 4), .alike(seed: 4, noise: 0.1))
    run.run(Self.hour) { load, index in load.others = index % 120 < 60 ? 1 : 10 }
    #expect(run.changes <= 3)
    #expect(run.away * 10 <= run.periods)
  }

  @Test("Idle periods between others change no verdict")
  func idlePeriods() {
    var busy = TunerRun(FirstSizeTuner(objective: .cpu, most: 8, present: 1), .ordinary(seed: 5))
    var other = TunerRun(busy.tuner, busy.load)
    let idle = [
      FirstSizeMeasurement(elapsed: 250_000_000, processorTime: 1, bytes: 0, packets: 0, holdTime: 0),
      FirstSizeMeasurement(
        elapsed: 250_000_000, processorTime: 900_000, bytes: FirstSizeTuner.leastTraffic - 1, packets: 40,
        holdTime: 9_000_000),
    ]
    for index in 0..<5 * TunerRun.minute {
      busy.run(1)
      for extra in 0..<index % FirstSizeTuner.mostIdle { other.note(idle[extra & 1]) }
      other.run(1)
    }
    #expect(!busy.verdicts.isEmpty && busy.verdicts == other.verdicts)
    #expect(busy.tuner.multiple == other.tuner.multiple)
  }

  @Test("When the guest stops sending a trial is given up, and tried again when it sends")
  func idle() {
    var run = TunerRun(FirstSizeTuner(objective: .latency, most: 8), .ordinary(seed: 6))
    while run.tuner.multiple == 1 { run.run(1) }
    let nothing = FirstSizeMeasurement(elapsed: 250_000_000, processorTime: 9, bytes: 0, packets: 0, holdTime: 0)
    for _ in 1..<FirstSizeTuner.mostIdle { run.note(nothing) }
    #expect(run.tuner.multiple == 2)
    run.note(nothing)
    #expect(run.tuner.multiple == 1 && run.tuner.state == .settled)
    for _ in 0..<Self.hour { run.note(nothing) }
    #expect(run.tuner.multiple == 1 && run.tuner.state == .settled && run.verdicts.isEmpty)
    // Its wait was not doubled: it was found no worse.
    run.run(FirstSizeTuner.shortestWait + 1)
    #expect(run.tuner.state == .trying(2))
  }

  @Test("A trial is given up when the caller says so")
  func givenUp() {
    var run = TunerRun(FirstSizeTuner(objective: .cpu, most: 8), .ordinary(seed: 7))
    while run.tuner.multiple == 8 { run.run(1) }
    run.tuner.giveUpTrial()
    #expect(run.tuner.multiple == 8 && run.tuner.state == .settled)
    run.tuner.giveUpTrial()
    #expect(run.tuner.multiple == 8)
    run.run(10)
    #expect(run.tuner.state == .settled)
  }

  @Test("The first period after a change, in which connections go by the size before, is not counted")
  func firstPeriods() {
    var run = TunerRun(FirstSizeTuner(objective: .cpu, most: 8), .ordinary(seed: 8, noise: 0))
    var position = 0
    for _ in 0..<20 * TunerRun.minute {
      var period = run.load.period(run.tuner.multiple)
      position = run.tuner.multiple == 4 ? position + 1 : 0
      // A block spares one of them.
      if position == 1 || position == 3 { period.processorTime = 1 }
      run.note(period)
      if let figures = run.tuner.figures(4) { #expect(figures.processorTimePerMebibyte > 180_000) }
      if position > 0, run.tuner.multiple == 8 { #expect(position == 1 + FirstSizeBlock.length) }
    }
    #expect(run.verdicts.count > 5)
    #expect(run.changes == 0)
  }

  @Test("Periods that can't be true, mixed with others: no trap, and 1 to the most is announced", arguments: 0..<40)
  func hostile(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    let values = [Int.min, -1, 0, 1, 4 << 20, 250_000_000, 1 << 40, 1 << 62, Int.max - 1, Int.max]
    func any() -> Int {
      let random = Int(truncatingIfNeeded: generator.next() >> UInt64.random(in: 0...63, using: &generator))
      return Bool.random(using: &generator) ? random : values[Int.random(in: 0..<values.count, using: &generator)]
    }
    let objective = FirstSizeObjective.allCases[seed % 4]
    var run = TunerRun(FirstSizeTuner(objective: objective, most: any()), .ordinary(seed: seed))
    for _ in 0..<4000 {
      switch Int.random(in: 0..<200, using: &generator) {
      case 0: run.tuner.limit(most: Bool.random(using: &generator) ? any() : .random(in: 1...8, using: &generator))
      case 1: run.tuner.giveUpTrial()
      case 2..<100:
        run.note(
          FirstSizeMeasurement(elapsed: any(), processorTime: any(), bytes: any(), packets: any(), holdTime: any()))
      default: run.run(1)
      }
      for multiple in 0...9 where generator.next() & 63 == 0 {
        guard let figures = run.tuner.figures(multiple) else { continue }
        #expect(figures.processorTimePerMebibyte >= 0 && figures.bytesPerSecond >= 0)
        #expect(figures.meanHold >= 0 && figures.bytesPerPacket >= 0)
      }
    }
    #expect(run.isInRange)
    #expect(run.verdicts.allSatisfy { !$0.description.isEmpty })
  }

  @Test("A single wild period moves nothing", arguments: FirstSizeObjective.allCases)
  func wild(objective: FirstSizeObjective) {
    var run = TunerRun(FirstSizeTuner(objective: objective, most: 8, present: 4), .alike(seed: 9, noise: 0))
    for index in 0..<Self.hour / 2 {
      var period = run.load.period(run.tuner.multiple)
      // The best that can be said of another size.
      if index % 8 == 0, run.tuner.multiple != 4 {
        period.processorTime = 1
        period.elapsed = 1
        period.holdTime = 0
      }
      run.note(period)
    }
    #expect(run.changes == 0)
  }

  @Test("A tuner is a plain value of bounded size")
  func trivial() {
    func isPlain<Value: BitwiseCopyable>(_ type: Value.Type) -> Bool { MemoryLayout<Value>.size <= 1024 }
    #expect(isPlain(FirstSizeTuner.self) && isPlain(FirstSizeVerdict.self))
  }
}
