// SPDX-License-Identifier: Apache-2.0

import Arena
import Memory
import Testing
import Timekeeping

@Suite("Timer wheel: memory that outlives a process")
struct TimerWheelMemoryTests {
  private func withMemory(_ capacity: Int, _ body: (ByteRegion) throws -> Void) rethrows {
    let region = ByteRegion.allocate(count: TimerWheel.byteCount(capacity: capacity))
    defer { region.deallocate() }
    try body(region)
  }

  private func wheel(
    _ region: ByteRegion, _ capacity: Int, creating: Bool, now: Int64 = 0
  ) throws(ArenaError) -> TimerWheel {
    try TimerWheel(over: region, capacity: capacity, creating: creating, now: Instant(nanoseconds: now))
  }

  private func due(_ wheel: TimerWheel, _ now: Int64) -> Set<UInt32> {
    var numbers: Set<UInt32> = []
    var budget = 100_000
    while let id = wheel.popDue(budget: &budget, now: Instant(nanoseconds: now)) { numbers.insert(id.rawValue) }
    return numbers
  }

  @Test func timersThatWereArmedAreDueInTheNextProcess() throws {
    try withMemory(10) { region in
      let first = try wheel(region, 10, creating: true)
      for number in 1...10 as ClosedRange<UInt32> {
        first.arm(RecordIndex(rawValue: number), at: Instant(nanoseconds: Int64(number) * 1_000_000_000))
      }
      #expect(due(first, 2_500_000_000) == [1, 2])
      first.cancel(RecordIndex(rawValue: 4))
      let second = try wheel(region, 10, creating: false, now: 3_500_000_000)
      #expect(due(second, 3_600_000_000) == [3])
      #expect(due(second, 9_000_100_000) == [5, 6, 7, 8, 9])
      #expect(second.deadline(of: RecordIndex(rawValue: 10)) != nil)
    }
  }

  /// The slots, their bits and the neighbours of timers are as a killed process may leave them, or worse.
  @Test func slotsThatAreHalfMadeAreMadeAgain() throws {
    try withMemory(20) { region in
      let first = try wheel(region, 20, creating: true)
      for number in 1...20 as ClosedRange<UInt32> {
        first.arm(RecordIndex(rawValue: number), at: Instant(nanoseconds: Int64(number % 4) * 900_000_000 + 1))
      }
      let entries = region.count - 20 * 16
      region.slice(from: 64, count: entries - 64).fill(with: 0x5a)
      for number in 0..<20 { region.store(UInt64.max, at: entries + number * 16 + 8) }
      let second = try wheel(region, 20, creating: false)
      #expect(due(second, 900_100_000).count == 10)
      #expect(due(second, 9_000_000_000).count == 10)
      #expect(second.nextDeadline == nil)
    }
  }

  @Test func memoryOfTimersThatWereNeverArmedIsNotTouched() throws {
    try withMemory(100) { region in
      let entries = region.suffix(from: region.count - 90 * 16)
      entries.fill(with: 0xa5)
      let first = try wheel(region, 100, creating: true)
      for number in 1...10 as ClosedRange<UInt32> {
        first.arm(RecordIndex(rawValue: number), at: Instant(nanoseconds: 1_000))
      }
      #expect(due(try wheel(region, 100, creating: false), 1_000_000).count == 10)
      #expect(entries.bytes.allSatisfy { $0 == 0xa5 })
    }
  }

  @Test func memoryThatHoldsSomethingElseIsRefused() throws {
    try withMemory(10) { region in
      #expect(throws: ArenaError.notAnArena) { _ = try wheel(region, 10, creating: false) }
      _ = try wheel(region, 10, creating: true)
      #expect(throws: ArenaError.otherShape(stride: 16, limit: 10)) { _ = try wheel(region, 9, creating: false) }
      #expect(throws: ArenaError.tooSmall(has: region.count, needs: TimerWheel.byteCount(capacity: 11))) {
        _ = try wheel(region, 11, creating: true)
      }
      #expect(throws: ArenaError.notAligned(to: 64)) { _ = try wheel(region.suffix(from: 16), 9, creating: true) }
      region.store(UInt32(11), at: 12)
      #expect(throws: ArenaError.damaged) { _ = try wheel(region, 10, creating: false) }
    }
  }
}
