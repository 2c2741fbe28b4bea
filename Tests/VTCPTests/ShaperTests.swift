// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import TCPPolicy
import Testing
import Timekeeping

@testable import VTCP

@Suite("A rate that all connections of a VM share")
struct ShaperTests {
  private func shaper(_ rate: Int, now: Int64 = 0) -> Shaper {
    var shaper = Shaper()
    shaper.set(rate: rate, now: Instant(nanoseconds: now))
    return shaper
  }

  /// What it let go, and when: pieces of any size, asked for when it says or later, by a clock that is late as `lateness` says.
  private func run(
    _ shaper: inout Shaper, from begin: Int64, for time: Int64, sizes: (inout SplitMix64) -> Int,
    lateness: (inout SplitMix64) -> Int64, passing: (inout SplitMix64) -> Int = { _ in 0 }
  ) -> [(time: Int64, octets: Int)] {
    var random = SplitMix64(seed: 7)
    var log: [(Int64, Int)] = []
    var now = begin
    while now < begin + time {
      let earliest = shaper.earliest(now: Instant(nanoseconds: now)).nanoseconds
      if earliest > now {
        now = earliest + lateness(&random)
        continue
      }
      let octets = sizes(&random)
      shaper.sent(octets: octets, now: Instant(nanoseconds: now))
      log.append((now, octets))
      let others = passing(&random)
      if others > 0 { shaper.passed(octets: others, now: Instant(nanoseconds: now)) }
    }
    return log
  }

  /// The most octets in any span of the length, which begins with a piece.
  private func most(_ log: [(time: Int64, octets: Int)], in span: Int64) -> Int {
    var most = 0
    var sum = 0
    var first = 0
    for last in log.indices {
      sum += log[last].octets
      while log[last].time - log[first].time > span {
        sum -= log[first].octets
        first += 1
      }
      most = max(most, sum)
    }
    return most
  }

  @Test(
    "Any span of time carries the rate and a burst at most, whatever sizes and times, and the rate at least",
    arguments: [64_000, 1_000_000, 50_000_000, 999_999_937, 10_000_000_000, 1_000_000_000_000],
    [0, 200_000, 900_000] as [Int64])
  func rateHolds(rate: Int, late: Int64) {
    var shaper = shaper(rate, now: 5)
    let piece = shaper.piece(segmentSize: 1448)
    let largest = min(piece, 65_000)
    // So long that there are some ten thousand pieces at the most.
    let time = min(max(Int64(largest) * 8_000_000_000 / Int64(rate) * 4000, 20_000_000), 60_000_000_000)
    let log = run(
      &shaper, from: 5, for: time, sizes: { 1 + Int($0.next() % UInt64(largest)) },
      lateness: { late == 0 ? 0 : Int64($0.next() % UInt64(late)) })
    let burst = Double(rate) / 8000 + Double(largest)
    for span in [1_000_000, 10_000_000, time / 3, time] as [Int64] {
      let allowed = Double(rate) / 8e9 * Double(span) + burst
      #expect(Double(most(log, in: span)) <= allowed + 1, "\(rate), late \(late), in \(span) ns")
    }
    // Who waits is served: late by less than a quantum, nothing is lost.
    let sum = log.reduce(0) { $0 + $1.octets }
    let least = Double(rate) / 8e9 * Double(log[log.count - 1].time - log[0].time)
    #expect(Double(sum) >= least * 0.9999 - Double(largest), "\(rate), late \(late): \(sum) of \(least)")
  }

  @Test(
    "Where somebody waits, a program that comes late by some milliseconds loses nothing",
    arguments: [50_000_000, 10_000_000_000])
  func lateProgramCatchesUp(rate: Int) {
    var random = SplitMix64(seed: 3)
    var shaper = shaper(rate)
    let piece = min(shaper.piece(segmentSize: 1448), 65_000)
    var log: [(time: Int64, octets: Int)] = []
    var now: Int64 = 0
    while now < 2_000_000_000 {
      let earliest = shaper.earliest(now: Instant(nanoseconds: now)).nanoseconds
      if earliest > now {
        shaper.noteInTime()
        // One time in eight others had the processor for up to 18 ms.
        now = earliest + (random.next() % 8 == 0 ? Int64(random.next() % 18_000_000) : 0)
        shaper.noteLate()
        continue
      }
      shaper.sent(octets: piece, now: Instant(nanoseconds: now))
      log.append((now, piece))
    }
    let sum = log.reduce(0) { $0 + $1.octets }
    let fair = Double(rate) / 8e9 * Double(log[log.count - 1].time - log[0].time)
    #expect(Double(sum) >= fair * 0.999 - Double(piece))
    for span in [1_000_000, 20_000_000, 300_000_000] as [Int64] {
      #expect(Double(most(log, in: span)) <= Double(rate) / 8e9 * Double(span + 21_000_000) + Double(piece) + 1)
    }
  }

  @Test("What was late by more than that is lost, and who was in time has a quantum as ever")
  func latenessIsBounded() {
    for (isLate, milliseconds) in [(true, 20), (false, 1)] {
      var shaper = shaper(80_000_000)
      if isLate { shaper.noteLate() }
      let now: Int64 = 60_000_000_000
      var sum = 0
      while shaper.earliest(now: Instant(nanoseconds: now)).nanoseconds <= now {
        shaper.sent(octets: 1000, now: Instant(nanoseconds: now))
        sum += 1000
      }
      #expect(sum == milliseconds * 10_000 + 1000)
    }
  }

  @Test("Who was idle may not save up")
  func idle() {
    var shaper = shaper(80_000_000)
    let now: Int64 = 3_600_000_000_000
    var sum = 0
    while shaper.earliest(now: Instant(nanoseconds: now)).nanoseconds <= now {
      shaper.sent(octets: 1000, now: Instant(nanoseconds: now))
      sum += 1000
    }
    // A millisecond of it, and the piece that comes last.
    #expect(sum <= 11_000)
  }

  @Test("What passes is charged: what waits has the rest, and a sixteenth whatever passes")
  func passing() {
    for (passing, least, most) in [(500, 0.45, 0.51), (9_000, 0.06, 0.07), (100_000, 0.06, 0.07)] {
      var shaper = shaper(100_000_000)
      var random = SplitMix64(seed: 1)
      var (now, sent, passed) = (Int64(0), 0, 0)
      var next: Int64 = 0
      // So many octets pass each 80 us, in which the rate carries 1000.
      while now < 4_000_000_000 {
        if now >= next {
          shaper.passed(octets: passing, now: Instant(nanoseconds: now))
          passed += passing
          next += 80_000
        }
        let earliest = shaper.earliest(now: Instant(nanoseconds: now)).nanoseconds
        if earliest <= now {
          shaper.sent(octets: 1000, now: Instant(nanoseconds: now))
          sent += 1000
        }
        now = max(now + 1, min(next, max(earliest, now + Int64(random.next() % 3))))
      }
      let part = Double(sent) / 50_000_000
      #expect(part > least && part < most, "\(passing): \(part)")
    }
  }

  @Test("A burst that passed is forgotten after a second")
  func debt() {
    var shaper = shaper(1_000_000)
    shaper.passed(octets: .max, now: Instant(nanoseconds: 0))
    shaper.sent(octets: 100, now: Instant(nanoseconds: 0))
    shaper.passed(octets: .max, now: Instant(nanoseconds: 1))
    #expect(shaper.earliest(now: Instant(nanoseconds: 1)).nanoseconds <= 1_001_000_000)
  }

  @Test("No size, rate or time overflows")
  func edges() {
    for rate in [1, 64_000, Int.max, Shaping.allowed.upperBound] {
      for now in [Int64.min, -1, 0, .max] {
        var shaper = shaper(rate, now: now)
        for octets in [Int.min, -1, 0, 1, 65_535, .max] {
          shaper.sent(octets: octets, now: Instant(nanoseconds: now))
          shaper.passed(octets: octets, now: Instant(nanoseconds: now))
          _ = shaper.earliest(now: Instant(nanoseconds: now))
        }
        for interval in [Int64.min, 0, .max] { #expect(shaper.octets(in: .nanoseconds(interval)) >= 0) }
        #expect(shaper.portion > 0 && shaper.portion <= 1)
        shaper.set(rate: 0, now: Instant(nanoseconds: now))
        #expect(shaper.earliest(now: Instant(nanoseconds: now)).nanoseconds == now)
      }
    }
    #expect(Shaping(transmitRate: .min, receiveRate: 1) == Shaping(transmitRate: 0, receiveRate: 64_000))
    #expect(Shaping(transmitRate: .max).transmitRate == Shaping.allowed.upperBound)
  }

  @Test("The portion of those who are ruled by windows falls while more passes than the rate, and grows again")
  func portion() {
    var shaper = shaper(80_000_000)
    // Twice the rate, for a second.
    for tick in 0..<1_000 { shaper.passed(octets: 20_000, now: .init(nanoseconds: Int64(tick) * 1_000_000)) }
    #expect(shaper.portion < 0.2)
    for tick in 1_000..<20_000 { shaper.passed(octets: 1_000, now: .init(nanoseconds: Int64(tick) * 1_000_000)) }
    #expect(shaper.portion == 1)
  }
}
