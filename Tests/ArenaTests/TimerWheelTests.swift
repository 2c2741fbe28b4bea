// SPDX-License-Identifier: Apache-2.0

import Arena
import FrameSupport
import Memory
import Testing
import Timekeeping

@Suite("Timer wheel: a timer for each record")
struct TimerWheelTests {
  private static let tick = TimerWheel.tick.nanoseconds
  /// Of the fine wheel, and of the coarse one.
  private static let turn = tick * 8192
  private static let circle = turn * 4096

  private func withWheel(
    _ capacity: Int, start: Int64 = 0, _ body: (TimerWheel, ByteRegion) throws -> Void
  ) throws {
    let region = ByteRegion.allocate(count: TimerWheel.byteCount(capacity: capacity))
    defer { region.deallocate() }
    try body(TimerWheel(over: region, capacity: capacity, creating: true, now: at(start)), region)
  }

  private func at(_ nanoseconds: Int64) -> Instant { Instant(nanoseconds: nanoseconds) }

  private func id(_ number: Int) -> RecordIndex { RecordIndex(rawValue: UInt32(number)) }

  /// All that are due, with a budget that is always enough.
  private func due(_ wheel: TimerWheel, _ now: Int64) -> [Int] {
    var numbers: [Int] = []
    var budget = 10_000_000
    while let id = wheel.popDue(budget: &budget, now: at(now)) { numbers.append(Int(id.rawValue)) }
    #expect(budget > 0)
    return numbers
  }

  private static let deadlines: [Int64] = [
    1, tick, tick + 1, 100_000, turn - 1, turn, turn + 1, 5 * turn + 77, circle - turn, circle - 1, circle, circle + 1,
    3 * circle + 12_345, 86_400_000_000_000,
  ]

  @Test(arguments: deadlines, [0, 1, turn - tick, turn - 1, turn, 7 * circle + 999] as [Int64])
  func timerIsDueAtItsDeadlineUpToATickLaterAndNeverEarlier(after: Int64, start: Int64) throws {
    try withWheel(3, start: start) { wheel, _ in
      wheel.arm(id(2), at: at(start + after))
      var now = start
      var wakes = 0
      while true {
        let next = try #require(wheel.nextDeadline)
        #expect(next.nanoseconds > now)
        #expect(next.nanoseconds < start + after + Self.tick)
        // The very nanosecond before: nothing.
        #expect(due(wheel, next.nanoseconds - 1).isEmpty)
        now = next.nanoseconds
        wakes += 1
        let numbers = due(wheel, now)
        guard numbers.isEmpty else {
          #expect(numbers == [2])
          break
        }
      }
      #expect(now >= start + after && now < start + after + Self.tick)
      #expect(wakes <= 2 + Int(after / (Self.circle - Self.turn)))
      #expect(wheel.nextDeadline == nil)
      #expect(wheel.deadline(of: id(2)) == nil)
    }
  }

  @Test func laterDeadlineCountsAndEarlierOnesToo() throws {
    try withWheel(4) { wheel, _ in
      wheel.arm(id(1), at: at(10 * Self.tick))
      wheel.arm(id(1), at: at(500 * Self.tick))
      #expect(wheel.deadline(of: id(1)) == at(500 * Self.tick))
      #expect(due(wheel, 499 * Self.tick).isEmpty)
      #expect(due(wheel, 500 * Self.tick) == [1])
      wheel.arm(id(1), at: at(20 * Self.turn))
      wheel.arm(id(1), at: at(600 * Self.tick))
      #expect(due(wheel, 600 * Self.tick) == [1])
    }
  }

  @Test func cancelledTimerIsNotDueAndCanBeArmedAgain() throws {
    try withWheel(4) { wheel, _ in
      for number in 1...4 { wheel.arm(id(number), at: at(100 * Self.tick)) }
      wheel.cancel(id(2))
      wheel.cancel(id(3))
      wheel.arm(id(3), at: at(50 * Self.tick))
      #expect(wheel.deadline(of: id(2)) == nil)
      #expect(due(wheel, 60 * Self.tick) == [3])
      #expect(due(wheel, 100 * Self.tick).sorted() == [1, 4])
      #expect(wheel.nextDeadline == nil)
    }
  }

  @Test func timerThatIsAlwaysArmedForThePastIsDueOnceATick() throws {
    try withWheel(1) { wheel, _ in
      wheel.arm(id(1), at: at(0))
      for tick in 1...50 as ClosedRange<Int64> {
        #expect(wheel.nextDeadline == at(tick * Self.tick))
        var budget = 1_000
        var count = 0
        while wheel.popDue(budget: &budget, now: at(tick * Self.tick)) != nil {
          count += 1
          wheel.arm(id(1), at: at(0))
        }
        #expect(count == 1 && budget > 900)
      }
    }
  }

  @Test func workOfACallIsBoundedAndTheNextOneGoesOn() throws {
    try withWheel(1_000) { wheel, _ in
      for number in 1...1_000 { wheel.arm(id(number), at: at(Self.turn * 3 + Int64(number % 7))) }
      var found: Set<Int> = []
      var calls = 0
      while found.count < 1_000 {
        var budget = 10
        while let id = wheel.popDue(budget: &budget, now: at(Self.turn * 4)) { found.insert(Int(id.rawValue)) }
        #expect(budget == 0 || found.count == 1_000)
        calls += 1
        try #require(calls < 300)
        guard found.count < 1_000 else { break }
        let next = try #require(wheel.nextDeadline)
        #expect(next <= at(Self.turn * 4))
      }
      #expect(calls >= 200)
    }
  }

  @Test(arguments: [3_600, 36_000, 10 * 86_400, 400 * 86_400] as [Int64])
  func clockThatJumpsCostsOneLookAtEachTimer(seconds: Int64) throws {
    try withWheel(300) { wheel, _ in
      let jump = seconds * 1_000_000_000
      for number in 1...100 { wheel.arm(id(number), at: at(Int64(number) * 7_777_777)) }
      for number in 101...200 { wheel.arm(id(number), at: at(Int64(number) * 5_000_000_000)) }
      for number in 201...300 { wheel.arm(id(number), at: at(jump + Int64(number) * 1_000_000)) }
      var budget = 1_000_000
      var found: Set<Int> = []
      while let id = wheel.popDue(budget: &budget, now: at(jump)) { found.insert(Int(id.rawValue)) }
      #expect(found == Set(1...200))
      // Four looks at each at most: in coarse slots, and in a fine one; and one at each slot that is passed.
      #expect(1_000_000 - budget <= 4 * 300 + 4 * 4_096)
      #expect(due(wheel, jump + 201_000_000 + Self.tick) == [201])
      #expect(due(wheel, jump + 1_000_000_000).count == 99)
    }
  }

  @Test func clockThatGoesBackDoesNoHarm() throws {
    try withWheel(2, start: 1_000_000_000) { wheel, _ in
      wheel.arm(id(1), at: at(1_100_000_000))
      #expect(due(wheel, 5).isEmpty)
      #expect(due(wheel, -5).isEmpty)
      wheel.arm(id(2), at: at(-1_000))
      #expect(due(wheel, 1_001_000_000) == [2])
      #expect(due(wheel, 1_100_100_000) == [1])
    }
  }

  @Test func deadlineAtTheEndOfTimeIsNeverDue() throws {
    try withWheel(1) { wheel, _ in
      wheel.arm(id(1), at: at(.max))
      #expect(due(wheel, 1 << 60).isEmpty)
      #expect(wheel.deadline(of: id(1)) != nil)
      let next = try #require(wheel.nextDeadline)
      #expect(next.nanoseconds > 1 << 60)
    }
  }
}
