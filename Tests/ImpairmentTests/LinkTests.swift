// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Impairment
import Testing
import Timekeeping

@Suite("An impaired link")
struct LinkTests {
  private let zero = Instant(nanoseconds: 1_000_000_000)

  private func link(_ text: String, seed: UInt64 = 1) throws -> ImpairedLink {
    ImpairedLink(try ImpairmentSettings(parsing: text), seed: seed, now: zero)
  }

  private func leaving(_ passage: Passage) -> Instant? {
    guard case .leaves(let time, _, _, _, _) = passage else { return nil }
    return time
  }

  @Test func frameLeavesAfterTheDelay() throws {
    var link = try link("delay=10ms")
    for number in 0..<100 as Range<Int64> {
      let now = zero + .microseconds(number * 7)
      #expect(leaving(link.arrive(length: 1_500, now: now)) == now + .milliseconds(10))
    }
  }

  @Test func rateSpacesFramesAndTheQueueIsFinite() throws {
    // A frame of 1500 octets takes a millisecond; ten of them may wait.
    var link = try link("rate=1500000,queue=15000")
    for number in 1...10 as ClosedRange<Int64> {
      #expect(leaving(link.arrive(length: 1_500, now: zero)) == zero + .milliseconds(number))
    }
    #expect(link.arrive(length: 1_500, now: zero) == .overflowed)
    #expect(link.arrive(length: 60, now: zero) == .overflowed)
    #expect(leaving(link.arrive(length: 1_500, now: zero + .milliseconds(1))) == zero + .milliseconds(11))
    #expect(leaving(link.arrive(length: 1_500, now: zero + .milliseconds(50))) == zero + .milliseconds(51))
    #expect(link.longestQueue == 13_500)
    #expect(link.waiting(zero + .milliseconds(50)) == 1_500 && link.waiting(zero + .milliseconds(51)) == 0)
  }

  @Test func congestionIsMarkedWhenEnoughWaits() throws {
    var link = try link("rate=1500000,mark-above=3000")
    let marks = (0..<5).map { _ in
      guard case .leaves(_, _, _, let isMarked, _) = link.arrive(length: 1_500, now: zero) else { return false }
      return isMarked
    }
    #expect(marks == [false, false, true, true, true])
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func jitterKeepsTheOrderAndItsBounds(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var link = try link("delay=5ms,jitter=4ms", seed: seed)
    var now = zero
    var last = zero
    var delays: Set<Int64> = []
    for _ in 0..<2_000 {
      now = now + .microseconds(Int64.random(in: 0...3_000, using: &random))
      let leaves = try #require(leaving(link.arrive(length: 100, now: now)))
      #expect(leaves >= last && leaves >= now + .milliseconds(1))
      // Its own delay, or that of one before it.
      #expect(leaves <= now + .milliseconds(9))
      delays.insert((leaves - now).nanoseconds / 1_000_000)
      last = leaves
    }
    #expect(delays.count >= 7)
  }

  @Test func reorderedFramesAreOvertakenAndTheOthersKeepTheirOrder() throws {
    var link = try link("delay=1ms,reorder=10%,reorder-by=2ms")
    var last = zero
    var heldBack = 0
    for number in 0..<1_000 as Range<Int64> {
      let now = zero + .microseconds(100 * number)
      guard case .leaves(let time, _, let isReordered, _, _) = link.arrive(length: 100, now: now) else { continue }
      #expect(time - now == (isReordered ? .milliseconds(3) : .milliseconds(1)))
      if isReordered { heldBack += 1 } else { #expect(time >= last) }
      if !isReordered { last = time }
    }
    #expect((60...140).contains(heldBack))
  }

  @Test func nothingLeavesWhileTheReceiverStandsStill() throws {
    var link = try link("delay=1ms,stall=60ms/90ms")
    for number in 0..<5_000 as Range<Int64> {
      let now = zero + .microseconds(number * 331)
      let leaves = try #require(leaving(link.arrive(length: 100, now: now)))
      let phase = (leaves - zero).nanoseconds % 90_000_000
      #expect(phase < 30_000_000)
      #expect(leaves - now == .milliseconds(1) || phase == 0)
      #expect(leaves - now <= .milliseconds(61))
    }
  }

  @Test func lostFramesTakeNoRoom() throws {
    var link = try link("rate=1500000,queue=3000,loss=50%")
    var passed: Int64 = 0
    for _ in 0..<100 {
      switch link.arrive(length: 1_500, now: zero) {
      case .leaves(let time, _, _, _, _):
        passed += 1
        #expect(time == zero + .milliseconds(passed))
      case .lost, .lostInBurst, .overflowed: break
      }
    }
    #expect(passed == 2)
  }

  @Test func departuresComeByTimeAndThoseOfOneTimeInOrder() {
    for seed in 1...20 as ClosedRange<UInt64> {
      var random = SplitMix64(seed: seed)
      var queue = DepartureQueue(capacity: 10)
      var model: [(time: Instant, frame: Int)] = []
      for frame in 0..<2_000 {
        if Int.random(in: 0..<5, using: &random) < 3 {
          let time = zero + .microseconds(Int64.random(in: 0...50, using: &random))
          queue.insert(frame, at: time)
          model.insert((time, frame), at: model.firstIndex { $0.time > time } ?? model.count)
        } else {
          let now = zero + .microseconds(Int64.random(in: 0...50, using: &random))
          let expected = model.first.map { $0.time <= now } == true ? model.removeFirst().frame : nil
          #expect(queue.remove(now: now) == expected)
        }
        #expect(queue.count == model.count && queue.next == model.first?.time)
      }
    }
  }
}
