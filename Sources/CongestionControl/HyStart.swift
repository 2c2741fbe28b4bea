// SPDX-License-Identifier: Apache-2.0

internal import Timekeeping

/// HyStart++ (RFC 9406): ends the first slow start when the round trip grows, before a queue is full and loses.
///
/// In each round, from a whole window to its acknowledgment, the least of the first samples is compared with that of the round before. If it
/// has grown by a clear step, the window goes on growing at a quarter of the speed, for a few rounds: time to see whether it was
/// jitter. Then congestion avoidance begins at the window that there is; or slow start goes on, if the round trip became short again.
struct HyStart: BitwiseCopyable {
  /// What the window does in slow start.
  enum Pace: UInt8, BitwiseCopyable {
    case full
    /// Conservative slow start, CSS.
    case cautious
    /// Slow start is no longer the first one, or over: there is nothing to be found out.
    case over
  }

  // Section 4.3.
  private static let leastStep: UInt32 = 4_000
  private static let largestStep: UInt32 = 16_000
  private static let stepDivisor: UInt32 = 8
  private static let samplesNeeded: UInt8 = 8
  private static let cautiousRounds: UInt8 = 5
  /// CSS_GROWTH_DIVISOR.
  static let growthDivisor = 4

  /// Least round trips in microseconds, of this round, of the one before, and of that in which it had grown. `max`: none.
  private var current = UInt32.max
  private var before = UInt32.max
  private var baseline = UInt32.max
  /// Of this round; no more are counted than are needed.
  private var samples: UInt8 = 0
  /// Cautious rounds that have begun.
  private var rounds: UInt8 = 0
  private(set) var pace = Pace.full

  /// Section 4.2, for an acknowledgment in slow start.
  ///
  /// - Parameters:
  ///   - sample: the round trip that it shows, if it does.
  ///   - beginsRound: it acknowledges all that was in flight when the round began.
  /// - Returns: whether slow start is over.
  mutating func acknowledged(sample: Interval?, beginsRound: Bool) -> Bool {
    guard pace != .over else { return false }
    if beginsRound, endRound() {
      pace = .over
      return true
    }
    // A negative one is none, as for `RTTEstimator`.
    guard let sample, sample.nanoseconds >= 0 else { return false }
    current = min(current, UInt32(clamping: sample.nanoseconds / 1000))
    samples = min(samples &+ 1, Self.samplesNeeded)
    guard samples == Self.samplesNeeded else { return false }
    switch pace {
    case .full:
      guard before != .max, current >= before &+ Self.step(before) else { break }
      baseline = current
      rounds = 0
      pace = .cautious
    case .cautious:
      guard current < baseline else { break }
      baseline = .max
      pace = .full
    case .over:
      break
    }
    return false
  }

  /// Something else has ended it: a loss, a mark, a timeout. Only the first slow start knows nothing of the path (section 4.3).
  mutating func end() { pace = .over }

  /// Returns whether it was the last one with caution.
  private mutating func endRound() -> Bool {
    before = current
    current = .max
    samples = 0
    guard pace == .cautious else { return false }
    rounds &+= 1
    return rounds >= Self.cautiousRounds
  }

  /// RttThresh.
  private static func step(_ roundTrip: UInt32) -> UInt32 {
    max(leastStep, min(roundTrip / stepDivisor, largestStep))
  }
}
