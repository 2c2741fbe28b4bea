// SPDX-License-Identifier: Apache-2.0

import Arena
import FrameSupport
import Memory
import Testing
import Timekeeping

@Suite("Timer wheel against a plain list of deadlines")
struct TimerWheelModelTests {
  private static let tick = TimerWheel.tick.nanoseconds

  /// A wheel, and the tick at which each timer is due.
  private struct Pair {
    let region: ByteRegion
    let capacity: Int
    var wheel: TimerWheel
    var model: [UInt32: Int64] = [:]
    var now: Int64

    init(capacity: Int, now: Int64) throws {
      self.capacity = capacity
      self.now = now
      region = ByteRegion.allocate(count: TimerWheel.byteCount(capacity: capacity))
      wheel = try TimerWheel(over: region, capacity: capacity, creating: true, now: Instant(nanoseconds: now))
    }

    mutating func arm(_ number: UInt32, after: Int64) {
      let deadline = now + after
      wheel.arm(RecordIndex(rawValue: number), at: Instant(nanoseconds: deadline))
      model[number] = max((max(deadline, 0) + tick - 1) / tick, now / tick + 1)
    }

    mutating func cancel(_ number: UInt32) {
      wheel.cancel(RecordIndex(rawValue: number))
      model[number] = nil
    }

    /// Takes all that are due, so many steps a call, and compares.
    mutating func advance(by nanoseconds: Int64, steps: Int) {
      now += nanoseconds
      let due = Set(model.filter { $0.value <= now / tick }.keys)
      var found: Set<UInt32> = []
      var budget = 0
      repeat {
        budget = steps
        while let id = wheel.popDue(budget: &budget, now: Instant(nanoseconds: now)) {
          #expect(found.insert(id.rawValue).inserted)
        }
      } while budget == 0
      #expect(found == due)
      for number in found { model[number] = nil }
    }

    func checkNextDeadline() {
      let nearest = model.values.min()
      let next = wheel.nextDeadline?.nanoseconds
      if let nearest { #expect(next != nil && next ?? 0 <= nearest * tick) }
      if let next { #expect(next > now) }
    }

    private var tick: Int64 { TimerWheelModelTests.tick }
  }

  private func interval(_ random: inout SplitMix64) -> Int64 {
    let magnitude = Int.random(in: 0..<44, using: &random)
    return Int64.random(in: 0...(1 << Int64(magnitude)), using: &random)
  }

  @Test(arguments: Array(1...24 as ClosedRange<UInt64>))
  func timersAreDueWhenTheListSaysSo(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let capacity = seed % 3 == 0 ? 3 : 200
    var pair = try Pair(capacity: capacity, now: seed % 2 == 0 ? 0 : interval(&random))
    defer { pair.region.deallocate() }
    for _ in 0..<3_000 {
      let number = UInt32.random(in: 1...UInt32(capacity), using: &random)
      switch Int.random(in: 0..<1_000, using: &random) {
      case 0..<550: pair.arm(number, after: interval(&random) - (seed % 5 == 0 ? 50_000 : 0))
      case 550..<650: pair.cancel(number)
      case 650..<655:
        pair.wheel = try TimerWheel(
          over: pair.region, capacity: capacity, creating: false, now: Instant(nanoseconds: pair.now))
      case 655..<800:
        guard let next = pair.wheel.nextDeadline else { continue }
        pair.advance(by: next.nanoseconds - pair.now, steps: 1_000)
      default:
        let scale = Int64.random(in: 0...3, using: &random) * 12
        pair.advance(by: interval(&random) >> scale, steps: Int.random(in: 1...40, using: &random))
      }
      pair.checkNextDeadline()
    }
  }

  @Test func timersThatAreArmedWhileOthersAreTakenAreDueInTime() throws {
    var random = SplitMix64(seed: 77)
    let capacity = 100
    var pair = try Pair(capacity: capacity, now: 0)
    defer { pair.region.deallocate() }
    for number in 1...UInt32(capacity) { pair.arm(number, after: interval(&random)) }
    var taken = 0
    while taken < 20_000 {
      pair.now += interval(&random) >> 20
      var budget = Int.random(in: 1...20, using: &random)
      while let id = pair.wheel.popDue(budget: &budget, now: Instant(nanoseconds: pair.now)) {
        taken += 1
        let due = pair.model.removeValue(forKey: id.rawValue)
        #expect(due ?? .max <= pair.now / Self.tick)
        pair.arm(id.rawValue, after: interval(&random) >> 16)
        pair.arm(UInt32.random(in: 1...UInt32(capacity), using: &random), after: interval(&random) >> 14)
      }
      // When it got to the end, nothing is left that was due.
      guard budget > 0 else { continue }
      #expect(pair.model.values.allSatisfy { $0 > pair.now / Self.tick })
      pair.checkNextDeadline()
    }
  }

  /// Timeouts that are moved back with each acknowledgment: how often a loop wakes that sleeps until `nextDeadline`.
  @Test func loopThatSleepsWakesAboutOnceForEachTimeoutThatPasses() throws {
    var pair = try Pair(capacity: 50, now: 0)
    defer { pair.region.deallocate() }
    for number in 1...50 as ClosedRange<UInt32> { pair.arm(number, after: 200_000_000) }
    var wakes = 0
    // Ten seconds in steps of 100 µs.
    for step in 0..<100_000 as Range<Int64> {
      pair.now = step * 100_000
      pair.arm(UInt32(step % 50) + 1, after: 200_000_000)
      guard let next = pair.wheel.nextDeadline, next.nanoseconds <= pair.now else { continue }
      wakes += 1
      pair.advance(by: 0, steps: 1_000)
    }
    #expect(pair.model.count == 50)
    // A timer's slot comes by every 200 ms; a turn begins every 268 ms.
    #expect(wakes <= 50 * 50 + 40)
  }

  @Test func millionTimersAreDueInTheirOrderOfTime() throws {
    let count = 1_000_000
    let region = ByteRegion.allocate(count: TimerWheel.byteCount(capacity: count))
    defer { region.deallocate() }
    let wheel = try TimerWheel(over: region, capacity: count, creating: true, now: Instant(nanoseconds: 0))
    var random = SplitMix64(seed: 5)
    let deadlines = (0..<count).map { _ in Int64.random(in: 0...60_000_000_000, using: &random) }
    for (number, deadline) in deadlines.enumerated() {
      wheel.arm(RecordIndex(rawValue: UInt32(number + 1)), at: Instant(nanoseconds: deadline))
    }
    var taken = 0
    var misplaced = 0
    var now: Int64 = 0
    while let next = wheel.nextDeadline {
      now = max(next.nanoseconds, now + 1_000_000)
      var budget = 200_000
      while let id = wheel.popDue(budget: &budget, now: Instant(nanoseconds: now)) {
        taken += 1
        let deadline = deadlines[Int(id.rawValue) - 1]
        if deadline > now || deadline < now - 1_100_000 - Self.tick { misplaced += 1 }
      }
      try #require(budget > 0)
    }
    #expect(taken == count && misplaced == 0)
  }
}
