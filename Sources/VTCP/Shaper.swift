// SPDX-License-Identifier: Apache-2.0

import Timekeeping

/// A rate that all connections of a VM share in one direction. Trivial.
///
/// Time is what is counted, as in a `Pacer`: each frame takes the time that it needs at the rate, and the next may leave when that is over. Who
/// comes late may catch up by one `quantumTime`; who was idle may not save up. So what waits for it, and nothing passes meanwhile, is in any time T
/// at most T times the rate and a burst: a `quantumTime` of the rate, and one `piece`. Where somebody waits all the time and the turn comes late, since
/// this program had to wait for a processor itself or the leg took nothing, up to `longestLateness` is caught up: otherwise a busy host would take its
/// part of the rate.
///
/// What passes without waiting is charged, so the rest waits for it. The rest keeps a part of the rate nevertheless (`reserve`), and what
/// passed counts for `longestDebt` at the most.
///
/// No sum can overflow, whatever sizes and times: octets are bounded by `mostOctets`, the rate by `Shaping.allowed`, times wrap.
struct Shaper: BitwiseCopyable, Sendable {
  static let quantumTime = Interval.milliseconds(1)
  /// What is caught up where somebody has waited; the burst is as long then.
  static let longestLateness = Interval.milliseconds(20)
  static let longestDebt = Interval.seconds(1)
  /// What waits gets a rate of one part in so many, whatever passes.
  static let reserve: Int64 = 16
  /// Octets that are charged at once.
  static let mostOctets = 1 << 26
  /// The largest frame of an Ethernet without jumbo frames: octets.
  static let ordinaryFrame = 1514
  /// How long what passes is counted before its portion is found anew.
  private static let period = Interval.milliseconds(200)

  /// Bits per second, of `Shaping.allowed`; 0: none.
  private(set) var rate: Int64 = 0
  /// When all that left is over at the rate; and the fraction of a nanosecond beside it, in parts of the rate.
  private var free = Instant(nanoseconds: .min / 2)
  private var fraction: Int64 = 0
  /// When what waits may leave at the latest.
  private var reserved = Instant(nanoseconds: .min / 2)
  /// How long ago what leaves now may have been due.
  private var catchUp = Self.quantumTime
  /// What part of the rate those get whose data pass, and who are ruled by their windows: times the rate and their weight.
  private(set) var portion = 1.0
  private var countedSince = Instant(nanoseconds: .min / 2)
  private var counted: Int64 = 0

  /// Another rate, or none. What left before counts for a `quantumTime` at the most.
  mutating func set(rate: Int, now: Instant) {
    self.rate = Int64(rate == 0 ? 0 : min(max(rate, 1), 1_000_000_000_000))
    let latest = now + Self.quantumTime
    free = min(free, latest)
    reserved = min(reserved, latest)
    fraction = 0
    catchUp = Self.quantumTime
    portion = 1
    (counted, countedSince) = (0, now)
  }

  /// When the next may leave: now, or later.
  func earliest(now: Instant) -> Instant { rate == 0 ? now : max(min(free, reserved), now) }

  /// Octets of payload of the largest piece that leaves at once: what the rate carries in a `quantumTime`, and two segments at the least.
  func piece(segmentSize: Int) -> Int { max(Int(rate / 8000), 2 &* segmentSize) }

  /// Octets that a connection of weight 1 may send before others have their turn.
  var quantum: Int { min(max(Int(rate / 8000), 2 &* Self.ordinaryFrame), 65536) }

  /// What the rate carries in a time, in octets; of a minute at the most.
  func octets(in interval: Interval) -> Int {
    // Below 2^37 * 2^26.
    let micros = min(max(interval.nanoseconds / 1000, 0), 60_000_000)
    return Int(rate / 8 &* micros / 1_000_000)
  }

  /// Those who were to go on at a time that is over wait still: what they did not send meanwhile they send now.
  mutating func noteLate() { catchUp = Self.longestLateness }

  /// All that was due has left, or nobody waits any more.
  mutating func noteInTime() { catchUp = Self.quantumTime }

  /// What had waited has left.
  mutating func sent(octets: Int, now: Instant) {
    guard rate > 0 else { return }
    let takes = time(octets)
    free = max(free, now - catchUp) + takes
    reserved = now + .nanoseconds(takes.nanoseconds &* Self.reserve)
  }

  /// Something passes that does not wait.
  mutating func passed(octets: Int, now: Instant) {
    guard rate > 0 else { return }
    let begin = max(free, now - Self.quantumTime)
    free = max(begin, min(begin + time(octets), now + Self.longestDebt))
    counted &+= Int64(min(max(octets, 0), Self.mostOctets))
    let elapsed = now - countedSince
    guard elapsed >= Self.period || elapsed < .zero else { return }
    fit(Double(max(elapsed.nanoseconds, 1)))
    (counted, countedSince) = (0, now)
  }

  /// Halves the portion at most, and lets it grow by an eighth.
  private mutating func fit(_ nanoseconds: Double) {
    let used = Double(max(counted, 1)) * 8e9 / nanoseconds
    portion = min(max(portion * min(max(Double(rate) / used, 0.5), 1.125), 1 / 65536), 1)
  }

  /// What so many octets take at the rate.
  private mutating func time(_ octets: Int) -> Interval {
    // Below 2^26 * 2^33 + 2^40.
    let bits = Int64(min(max(octets, 0), Self.mostOctets)) &* 8_000_000_000 &+ fraction
    let (whole, rest) = bits.quotientAndRemainder(dividingBy: rate)
    fraction = rest
    return .nanoseconds(whole)
  }
}
