// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

/// Round trip and retransmission timeout of RFC 6298.
///
/// The caller gives valid samples only: none of a segment that was sent twice, unless a timestamp tells which one was
/// answered (Karn's algorithm, section 3).
public struct RTTEstimator: Hashable, Sendable, BitwiseCopyable {
  /// Before the first sample: section 2.1.
  public static let initialTimeout = Interval.seconds(1)
  /// G, the clock granularity of section 2.3.
  static let granularity: Int64 = 1_000_000
  /// Longer ones count as this.
  static let longestSample: Int64 = 3_600_000_000_000
  /// For how long a minimum counts, in seconds: once or twice that.
  static let minimumPeriod: UInt32 = 150

  private var smoothedNanoseconds: Int64 = 0
  private var variationNanoseconds: Int64 = 0
  /// The least of this period and of the one before, in microseconds.
  private var minimumNow: UInt32 = .max
  private var minimumBefore: UInt32 = .max
  /// When this period began, in seconds of the clock; wraps.
  private var periodBegan: UInt32 = 0

  public init() {}

  public var hasSample: Bool { smoothedNanoseconds != 0 }
  /// SRTT; zero before the first sample.
  public var smoothed: Interval { .nanoseconds(smoothedNanoseconds) }
  /// RTTVAR.
  public var variation: Interval { .nanoseconds(variationNanoseconds) }
  /// The least of the last 150 to 300 seconds in which there were samples, in whole microseconds; zero before the first.
  public var minimum: Interval { hasSample ? .microseconds(Int64(min(minimumNow, minimumBefore))) : .zero }

  /// A round trip was measured. Zero is what a clock shows that stood still; it counts as a microsecond. A negative one is
  /// none, and is ignored.
  public mutating func sample(_ roundTrip: Interval, now: Instant) {
    guard roundTrip.nanoseconds >= 0 else { return }
    let measured = max(min(roundTrip.nanoseconds, Self.longestSample), 1000)
    rotate(now: now)
    minimumNow = min(minimumNow, UInt32(truncatingIfNeeded: min(measured / 1000, Int64(UInt32.max))))
    guard hasSample else {
      smoothedNanoseconds = measured
      variationNanoseconds = measured / 2
      return
    }
    let difference = smoothedNanoseconds - measured
    variationNanoseconds += (abs(difference) - variationNanoseconds) / 4
    smoothedNanoseconds = max(smoothedNanoseconds - difference / 8, 1)
  }

  /// RTO: SRTT + max(G, 4 * RTTVAR), at least `minimumTimeout` of the knobs, doubled `backoff` times, at most
  /// `maximumTimeout`. Sections 2.2 to 2.5 and 5.5.
  public func timeout(backoff: UInt8, knobs: CongestionKnobs) -> Interval {
    let longest = max(knobs.maximumTimeout.nanoseconds, 1_000_000)
    var timeout =
      hasSample
      ? smoothedNanoseconds + max(Self.granularity, 4 * variationNanoseconds) : Self.initialTimeout.nanoseconds
    timeout = min(max(timeout, knobs.minimumTimeout.nanoseconds), longest)
    for _ in 0..<backoff {
      guard timeout <= longest / 2 else { return .nanoseconds(longest) }
      timeout *= 2
    }
    return .nanoseconds(timeout)
  }

  private mutating func rotate(now: Instant) {
    let second = UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000_000)
    guard hasSample else {
      periodBegan = second
      return
    }
    guard second &- periodBegan >= Self.minimumPeriod else { return }
    minimumBefore = minimumNow
    minimumNow = .max
    periodBegan = second
  }
}
