// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

/// Spreads what a window allows over the round trip, in pieces that stay large enough to be worth a large send.
///
/// Time is what is counted: each piece takes the time that it needs at the rate, and the next may leave when that is over. Who
/// comes late, because a timer is coarse, may catch up by one `quantumTime`; who was idle may not save up.
public struct Pacer: Hashable, Sendable, BitwiseCopyable {
  /// What one piece may take of time: the quantum is what the rate carries in it.
  public static let quantumTime = Interval.milliseconds(1)
  /// Bytes per second of a pacer that does not pace.
  public static let unlimited: Int64 = 1 << 40

  /// Bytes per second; `unlimited` before `adjust`.
  public private(set) var rate: Int64 = Pacer.unlimited
  private var free = Instant(nanoseconds: .min / 2)

  public init() {}

  /// Takes the rate from window and round trip: twice the window in a round trip in slow start, 1.2 times after it. Without
  /// a round trip, or with a window that does not limit, nothing is paced.
  public mutating func adjust(window: Int, roundTrip: Interval, isInSlowStart: Bool) {
    guard roundTrip.nanoseconds > 0, window > 0, window < CongestionControl.unlimited else {
      rate = Self.unlimited
      return
    }
    // At most 2^30 bytes: the product stays below 2^62.
    let bytes = Int64(min(window, CongestionControl.largestWindow)) * (isInSlowStart ? 20 : 12) / 10
    rate = max(min(bytes * 1_000_000_000 / roundTrip.nanoseconds, Self.unlimited), 1)
  }

  /// Takes a rate, bytes per second, as it is.
  public mutating func adjust(rate: Int64) {
    self.rate = max(min(rate, Self.unlimited), 1)
  }

  /// When the next piece may leave: now, or later.
  public func earliest(now: Instant) -> Instant {
    rate == Self.unlimited ? now : max(free, now)
  }

  /// Bytes of the largest piece: a millisecond of the rate, at least two segments.
  public func quantum(segmentSize: Int) -> Int {
    max(Int(rate / 1000), 2 * segmentSize)
  }

  /// A piece left.
  public mutating func sent(bytes: Int, now: Instant) {
    let takes = Int64(max(min(bytes, CongestionControl.largestWindow), 0)) * 1_000_000_000 / rate
    free = max(free, now - Self.quantumTime) + .nanoseconds(takes)
  }
}
