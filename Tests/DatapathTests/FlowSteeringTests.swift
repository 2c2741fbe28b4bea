// SPDX-License-Identifier: Apache-2.0

import Testing
import Timekeeping

@testable import Datapath

@Suite("Flow steering: a flow stays where it is until it pauses")
struct FlowSteeringTests {
  private static let start = Instant(nanoseconds: 1_000_000_000)
  private static let pause = Interval.milliseconds(50)

  private func withSteering(_ body: (FlowSteering) -> Void) {
    let steering = FlowSteering()
    defer { steering.deallocate() }
    body(steering)
  }

  @Test func framesGoToThePairOnWhichTheGuestSends() {
    withSteering { steering in
      #expect(steering.learn(7, pair: 3, now: Self.start) == 3)
      #expect(steering.pair(for: 7, active: 4, now: Self.start) == 3)
    }
  }

  @Test(arguments: 1...5)
  func unknownFlowsAreSpreadByHashOverTheActivePairs(active: Int) {
    withSteering { steering in
      let pairs = (0..<64).map { steering.pair(for: UInt32($0) << 16 | 9, active: active, now: Self.start) }
      #expect(Set(pairs) == Set(0..<active))
    }
  }

  @Test func pairThatIsNotActiveAnyMoreIsNotUsed() {
    withSteering { steering in
      _ = steering.learn(7, pair: 3, now: Self.start)
      #expect((0..<2).contains(steering.pair(for: 7, active: 2, now: Self.start)))
      #expect(steering.pair(for: 7, active: 0, now: Self.start) == 0)
    }
  }

  @Test(arguments: [true, false])
  func flowMovesOnlyAfterAPauseInBothDirections(receives: Bool) {
    withSteering { steering in
      var now = Self.start
      _ = steering.learn(7, pair: 0, now: now)
      for _ in 0..<10 {
        now = now + .milliseconds(40)
        if receives { #expect(steering.pair(for: 7, active: 2, now: now) == 0) }
        now = now + .milliseconds(10)
        #expect(steering.learn(7, pair: 1, now: now) == 0)
      }
      now = now + Self.pause + .microseconds(1)
      #expect(steering.learn(7, pair: 1, now: now) == 1)
      #expect(steering.pair(for: 7, active: 2, now: now) == 1)
    }
  }

  /// The clock of a slot has 32 bits of microseconds: 71 minutes.
  @Test func pausesAreSeenWhereTheClockWraps() {
    withSteering { steering in
      let end = Instant(nanoseconds: Int64(UInt32.max) * 1000)
      _ = steering.learn(7, pair: 0, now: end)
      #expect(steering.learn(7, pair: 1, now: end + .milliseconds(10)) == 0)
      #expect(steering.learn(7, pair: 1, now: end + .milliseconds(70)) == 1)
    }
  }
}
