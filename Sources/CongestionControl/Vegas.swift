// SPDX-License-Identifier: Apache-2.0

internal import Timekeeping

/// Vegas (Brakmo and Peterson, "TCP Vegas: End to End Congestion Avoidance on a Global Internet", 1995): the window follows the round trip. Once in
/// a round trip it is compared with what the shortest one would need; between two and four segments too many are let stand in queues.
///
/// After losses it does what Reno does. The round trip is that of the network's leg alone: a guest that waits for its processor does not
/// look like a queue.
struct Vegas: BitwiseCopyable {
  /// Segments in queues: grow below, shrink above; and above which slow start ends.
  private static let least = 2
  private static let most = 4
  private static let slowStart = 1

  /// Microseconds; `max`: none yet. The shortest of all, and of this round.
  private var base = UInt32.max
  private var current = UInt32.max
  /// Of this round; no more are counted than are needed.
  private var samples: UInt8 = 0
  /// The round began before a loss or a pause, and shows nothing.
  private var isStale = false

  /// What a round has shown.
  enum Verdict: Equatable {
    /// Too few samples to tell.
    case unknown
    /// Segments more or fewer, -1, 0 or 1.
    case step(Int)
    /// Slow start, if it is not over, is over, at so many octets.
    case tooFast(target: Int)
  }

  mutating func observed(sample: Interval?) {
    guard let sample, sample.nanoseconds >= 0 else { return }
    let micros = UInt32(clamping: max(sample.nanoseconds / 1000, 1))
    base = min(base, micros)
    current = min(current, micros)
    samples = min(samples &+ 1, 3)
  }

  /// All that was in flight when the round began is acknowledged.
  mutating func endRound(window: Int, segmentSize: Int, isInSlowStart: Bool) -> Verdict {
    defer {
      current = .max
      samples = 0
      isStale = false
    }
    // Nor does the window grow for a recovery.
    guard !isStale else { return isInSlowStart ? .unknown : .step(0) }
    // One sample may be a delayed acknowledgment's.
    guard samples > 2, base > 0, current != .max else { return .unknown }
    let (window, base, current) = (window / segmentSize, Int(base), Int(current))
    let queued = window * (current - base) / base
    if isInSlowStart {
      guard queued > Self.slowStart else { return .step(0) }
      return .tooFast(target: (window * base / current + 1) * segmentSize)
    }
    if queued > Self.most { return .step(-1) }
    return .step(queued < Self.least ? 1 : 0)
  }

  /// After a loss or a pause queues are what they are: the shortest round trip stays.
  mutating func restarted() {
    current = .max
    samples = 0
    isStale = true
  }
}
