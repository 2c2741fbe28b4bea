// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import LossRecovery
import Testing
import Timekeeping

@Suite("Transfers over a bad path, in virtual time")
struct TransferTests {
  private func transfer(
    _ total: Int, _ weather: PathModel.Weather, knobs: RecoveryKnobs = RecoveryRig.knobs(.cubic, window: 10),
    sack: Bool = true,
    longest: Int = 44, records: Int = 1000, seed: UInt64
  ) throws -> (model: PathModel, time: Interval) {
    var done: (PathModel, Interval)?
    try RecoveryRig.run(knobs, sack: sack, records: records) { rig in
      var model = PathModel(total: total, weather: weather, longest: longest, seed: seed)
      let time = try #require(try model.run(&rig), "it never ends")
      done = (model, time)
    }
    return try #require(done)
  }

  @Test("A clean path sees every segment once, whatever else", arguments: [true, false], CongestionAlgorithm.allCases)
  func clean(sack: Bool, algorithm: CongestionAlgorithm) throws {
    let done = try transfer(2000, .init(), knobs: RecoveryRig.knobs(algorithm, window: 10), sack: sack, seed: 1)
    #expect(done.model.sentAgain == 0)
    #expect(done.model.timeouts == 0)
  }

  @Test(
    "Everything arrives, over any path, with little sent in vain", arguments: 0..<24 as Range<UInt64>, [true, false])
  func anyWeather(seed: UInt64, sack: Bool) throws {
    for (loss, answers, duplication, reordering) in [
      (10, 0, 0, 0), (50, 50, 10, 0), (0, 0, 0, 100), (20, 20, 20, 200), (200, 100, 0, 0),
    ] {
      var weather = PathModel.Weather()
      weather.loss = loss
      weather.lossOfAnswers = answers
      weather.duplication = duplication
      weather.reordering = reordering
      let algorithm: CongestionAlgorithm = seed >= 18 ? .bbr3 : seed >= 12 ? .bbr : seed % 2 == 0 ? .cubic : .newReno
      let knobs = RecoveryRig.knobs(algorithm, window: 10)
      let done = try transfer(600, weather, knobs: knobs, sack: sack, longest: seed % 3 == 0 ? 2 : 44, seed: seed)
      if sack, reordering == 0 {
        #expect(done.model.sentAgain <= 2 * done.model.lost + 30, "\(weather)")
      } else {
        #expect(done.model.sentAgain <= 4 * done.model.lost + 600, "\(weather)")
      }
    }
  }

  @Test("A doubling timer alone delivers everything too", arguments: 0..<6 as Range<UInt64>, [true, false])
  func doubling(seed: UInt64, sack: Bool) throws {
    var weather = PathModel.Weather()
    weather.loss = 30
    weather.lossOfAnswers = 30
    weather.delay = .microseconds(100)
    _ = try transfer(500, weather, knobs: RecoveryRig.knobs(.none, style: .doublingTimer), sack: sack, seed: seed)
  }

  @Test(
    "With three records in the world, or four a side, everything arrives", arguments: 0..<6 as Range<UInt64>,
    [CongestionAlgorithm.cubic, .newReno, .bbr, .bbr3])
  func fewRecords(seed: UInt64, algorithm: CongestionAlgorithm) throws {
    var weather = PathModel.Weather()
    weather.loss = 30
    _ = try transfer(300, weather, knobs: RecoveryRig.knobs(algorithm, window: 10), records: 3, seed: seed)
    var knobs = RecoveryRig.knobs(algorithm)
    knobs.recordLimit = 0
    _ = try transfer(300, weather, knobs: knobs, seed: seed)
  }

  @Test(
    "One loss in a hundred costs no timeout, at any rate hardly one", arguments: [CongestionAlgorithm.newReno, .cubic])
  func lossWithoutTimeout(algorithm: CongestionAlgorithm) throws {
    var weather = PathModel.Weather()
    weather.loss = 10
    var timeouts = 0
    for seed in 0..<10 as Range<UInt64> {
      timeouts += try transfer(1000, weather, knobs: RecoveryRig.knobs(algorithm, window: 10), seed: seed).model
        .timeouts
    }
    #expect(timeouts <= 2)
  }

  @Test(
    "A peer that stands still for a moment costs neither the window nor what was in flight",
    arguments: 0..<8 as Range<UInt64>)
  func standstill(seed: UInt64) throws {
    var weather = PathModel.Weather()
    weather.standstill = .milliseconds(400)
    let done = try transfer(2000, weather, seed: seed)
    #expect(done.model.timeouts == 0 || done.model.undone > 0)
    #expect(done.model.sentAgain <= 3 * (done.model.timeouts + 5))
  }

  @Test("Large sends and pacing do not keep the window from growing after slow start", arguments: [2, 10, 44])
  func growth(longest: Int) throws {
    var knobs = RecoveryRig.knobs(.newReno, window: 20)
    knobs.congestion.slowStartThreshold = 20_000
    try RecoveryRig.run(knobs) { rig in
      var model = PathModel(total: 2000, weather: .init(), longest: longest, seed: 1)
      let time = try #require(try model.run(&rig))
      // A segment for each round trip of 20 ms.
      let expected = 20 + Int(time.nanoseconds / 20_000_000)
      #expect(abs(rig.side.congestion.window / 1000 - expected) <= expected / 5)
    }
  }
}
