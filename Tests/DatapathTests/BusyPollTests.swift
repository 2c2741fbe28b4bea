// SPDX-License-Identifier: Apache-2.0

import Datapath
import Testing
import Timekeeping

@Suite("Busy polling: looks for work only where that brings it sooner")
struct BusyPollTests {
  /// Plays so many periods of as many microseconds: `asleep` when the NIC slept, `looking` when it looked. Returns in
  /// how many it looked.
  private static func play(
    _ poll: inout BusyPoll, periods: Int, asleep: Int64, looking: Int64, bulkBytes: Int = 0
  ) -> Int {
    var looked = 0
    for _ in 0..<periods {
      let looks = poll.span > .zero
      looked += looks ? 1 : 0
      poll.ended(after: .microseconds(looks ? looking : asleep), bulkBytes: bulkBytes)
    }
    return looked
  }

  @Test("Where work comes sooner to who looks, nearly all periods look")
  func looks() {
    var poll = BusyPoll(mode: .adaptive)
    #expect(Self.play(&poll, periods: 10_000, asleep: 30, looking: 20) > 9_500)
  }

  @Test("Where looking brings nothing, or delays the peer, nearly all periods sleep", arguments: [29, 30, 45, 110])
  func sleeps(looking: Int64) {
    var poll = BusyPoll(mode: .adaptive)
    #expect(Self.play(&poll, periods: 10_000, asleep: 30, looking: looking) < 300)
  }

  @Test("An idle NIC never looks", arguments: [121, 1000, 1_000_000])
  func idles(microseconds: Int64) {
    var poll = BusyPoll(mode: .adaptive)
    #expect(Self.play(&poll, periods: 5_000, asleep: microseconds, looking: 1) == 0)
  }

  @Test("A NIC that becomes idle stops looking at once")
  func stops() {
    var poll = BusyPoll(mode: .adaptive)
    _ = Self.play(&poll, periods: 1_000, asleep: 30, looking: 20)
    #expect(Self.play(&poll, periods: 1_000, asleep: 10_000, looking: 10_000) <= 8)
  }

  @Test("A bulk transfer is not looked after")
  func bulk() {
    var poll = BusyPoll(mode: .adaptive)
    #expect(Self.play(&poll, periods: 5_000, asleep: 20, looking: 5, bulkBytes: 65_000) == 0)
  }

  @Test("What pays is found out again when it changes")
  func changes() {
    var poll = BusyPoll(mode: .adaptive)
    _ = Self.play(&poll, periods: 3_000, asleep: 30, looking: 20)
    _ = Self.play(&poll, periods: 3_000, asleep: 30, looking: 40)
    #expect(Self.play(&poll, periods: 2_000, asleep: 30, looking: 40) < 100)
    _ = Self.play(&poll, periods: 3_000, asleep: 30, looking: 20)
    #expect(Self.play(&poll, periods: 2_000, asleep: 30, looking: 20) > 1_900)
  }

  @Test("Other modes don't measure", arguments: [BusyPoll.Mode.never, .always])
  func modes(mode: BusyPoll.Mode) {
    var poll = BusyPoll(mode: mode)
    #expect(Self.play(&poll, periods: 1_000, asleep: 30, looking: 20) == 0)
  }
}
