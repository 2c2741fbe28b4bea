// SPDX-License-Identifier: Apache-2.0

/// A point in time: nanoseconds since the clock's own start, which is nobody else's business.
///
/// Time is always an argument. Arithmetic wraps rather than traps: a span of 292 years is not met, and a broken sum
/// must not end a virtual machine's network.
public struct Instant: Comparable, Hashable, Sendable, BitwiseCopyable {
  public let nanoseconds: Int64

  @inlinable
  public init(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
  }

  @inlinable
  public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

  @inlinable
  public static func + (instant: Instant, interval: Interval) -> Instant {
    Instant(nanoseconds: instant.nanoseconds &+ interval.nanoseconds)
  }

  @inlinable
  public static func - (instant: Instant, interval: Interval) -> Instant {
    Instant(nanoseconds: instant.nanoseconds &- interval.nanoseconds)
  }

  /// The time from `earlier` to `later`.
  @inlinable
  public static func - (later: Instant, earlier: Instant) -> Interval {
    Interval(nanoseconds: later.nanoseconds &- earlier.nanoseconds)
  }
}
