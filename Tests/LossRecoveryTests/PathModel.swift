// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import FrameSupport
import LossRecovery
import Testing
import Timekeeping
import Wire

/// A transfer over a path that loses, delays, repeats and reorders, in virtual time, to a receiver that answers as RFC 5681,
/// 2018 and 2883 say. What it has, it has: it is the judge of what the sender believes.
struct PathModel {
  /// In segments of a thousand.
  struct Weather {
    var loss = 0
    var lossOfAnswers = 0
    var duplication = 0
    var reordering = 0
    var delay = Interval.milliseconds(10)
    /// The receiver answers nothing from time to time.
    var standstill = Interval.zero
  }

  private enum Event {
    case data(Int)
    case answer(to: Int, blocks: [Range<Int>])
  }

  private let total: Int
  private let weather: Weather
  private let longest: Int
  private var random: SplitMix64
  /// The soonest is the last.
  private var queue: [(at: Instant, event: Event)] = []
  private var has: [Bool]
  private var expected = 0
  private var highest = -1
  private var unanswered = 0
  private var recent: [Int] = []
  private(set) var sent = 0
  private(set) var sentAgain = 0
  private(set) var lost = 0
  private(set) var timeouts = 0
  private(set) var undone = 0
  private var standsUntil = Instant(nanoseconds: 0)
  private var lastArrival = Instant(nanoseconds: 0)

  init(total: Int, weather: Weather, longest: Int, seed: UInt64) {
    self.total = total
    self.weather = weather
    self.longest = longest
    random = SplitMix64(seed: seed)
    has = Array(repeating: false, count: total)
  }

  /// Runs until all is acknowledged. Returns the time that it took; nil if it does not end.
  mutating func run(_ rig: inout RecoveryRig) throws -> Interval? {
    let begin = rig.now
    standsUntil = begin
    var steps = 0
    while rig.place(rig.side.unacknowledged) < total * RecoveryRig.segment {
      steps += 1
      guard steps < 400 * total else { return nil }
      emit(&rig)
      let timer = rig.side.nextDeadline(knobs: rig.knobs)
      let paced = sent < total && rig.side.allowance > 0 ? rig.side.pacer.earliest(now: rig.now) : nil
      let times = [timer?.due, paced.flatMap { $0 > rig.now ? $0 : nil }, queue.last?.at].compactMap { $0 }
      guard let soonest = times.min() else { return nil }
      rig.now = max(rig.now, soonest)
      if let soonest = queue.last, soonest.at <= rig.now {
        queue.removeLast()
        handle(soonest.event, &rig)
      } else if let timer, timer.due <= rig.now {
        let action = rig.side.timerExpired(hasUnsent: sent < total, in: rig.pool, knobs: rig.knobs, now: rig.now)
        guard action != .gaveUp else { return nil }
        if timer.kind == .retransmission, action == .send { timeouts += 1 }
      }
      if steps % 16 == 0 { check(rig) }
    }
    rig.check()
    #expect(rig.side.isEmpty)
    return rig.now - begin
  }

  private mutating func emit(_ rig: inout RecoveryRig) {
    while rig.side.pacer.earliest(now: rig.now) <= rig.now {
      let limit = min(rig.side.allowance, longest * RecoveryRig.segment)
      if let range = rig.side.nextToRetransmit(limit: limit, in: rig.pool) {
        rig.side.retransmitted(range, in: rig.pool, knobs: rig.knobs, now: rig.now)
        rig.side.pacer.sent(bytes: range.count, now: rig.now)
        let first = rig.place(range.start) / RecoveryRig.segment
        let segments = first..<(rig.place(range.end) / RecoveryRig.segment)
        sentAgain += segments.count
        leave(segments, now: rig.now)
      } else {
        let segments = sent..<min(sent + min(limit / RecoveryRig.segment, 2_000 - (sent - expected)), total)
        guard !segments.isEmpty, segments.lowerBound < segments.upperBound else { return }
        let range = rig.range(segments.lowerBound * RecoveryRig.segment, segments.upperBound * RecoveryRig.segment)
        guard rig.side.canSend(in: rig.pool), rig.side.sent(range, in: rig.pool, knobs: rig.knobs, now: rig.now)
        else { return }
        rig.side.pacer.sent(bytes: range.count, now: rig.now)
        sent = segments.upperBound
        leave(segments, now: rig.now)
      }
    }
  }

  private mutating func chance(_ thousandths: Int) -> Bool { Int.random(in: 0..<1000, using: &random) < thousandths }

  private mutating func leave(_ segments: Range<Int>, now: Instant) {
    for segment in segments {
      if chance(weather.loss) {
        lost += 1
        continue
      }
      // A microsecond each, and in order but for those that are held up.
      var arrival = max(now + weather.delay, lastArrival + .microseconds(1))
      lastArrival = arrival
      if chance(weather.reordering) { arrival = arrival + .microseconds(.random(in: 0...5000, using: &random)) }
      push(.data(segment), at: arrival)
      if chance(weather.duplication) { push(.data(segment), at: arrival + .microseconds(100)) }
    }
  }

  private mutating func push(_ event: Event, at: Instant) {
    let at = max(at, standsUntil)
    var low = 0
    var high = queue.count
    while low < high {
      let middle = (low + high) / 2
      if queue[middle].at > at { low = middle + 1 } else { high = middle }
    }
    queue.insert((at, event), at: low)
  }

  private mutating func handle(_ event: Event, _ rig: inout RecoveryRig) {
    switch event {
    case .data(let segment): receive(segment, now: rig.now)
    case .answer(let to, let blocks):
      undone += rig.acknowledge(to, blocks, hasUnsent: sent < total, checking: false).isSpurious ? 1 : 0
    }
  }

  private mutating func receive(_ segment: Int, now: Instant) {
    if weather.standstill > .zero, chance(2) { standsUntil = now + weather.standstill }
    let isTwice = has[segment]
    let isInOrder = segment == expected
    has[segment] = true
    while expected < total, has[expected] { expected += 1 }
    if !isTwice, segment > expected { recent = [segment] + recent.filter { $0 != segment } }
    unanswered += 1
    highest = max(highest, segment)
    let isWhole = isInOrder && expected > highest
    guard !isWhole || unanswered >= 2 || expected == total else { return }
    unanswered = 0
    guard !chance(weather.lossOfAnswers) else { return }
    var blocks = isTwice ? [segment..<segment + 1] : []
    for seed in recent where seed >= expected && blocks.count < (isTwice ? 4 : 3) {
      var low = seed
      var high = seed + 1
      while low > expected, has[low - 1] { low -= 1 }
      while high < total, has[high] { high += 1 }
      if !blocks.dropFirst(isTwice ? 1 : 0).contains(low..<high) { blocks.append(low..<high) }
    }
    recent = Array(recent.filter { $0 >= expected }.prefix(16))
    push(.answer(to: expected, blocks: blocks), at: now + weather.delay)
  }

  /// What the sender takes for received, was; and nothing else is forgotten.
  private func check(_ rig: RecoveryRig) {
    rig.check()
    #expect(rig.place(rig.side.unacknowledged) <= expected * RecoveryRig.segment)
    for record in rig.records where record.flags.contains(.sacked) {
      let first = rig.place(record.range.start) / RecoveryRig.segment
      let end = (rig.place(record.range.end) + RecoveryRig.segment - 1) / RecoveryRig.segment
      #expect(has[first..<end].allSatisfy { $0 })
    }
  }
}
