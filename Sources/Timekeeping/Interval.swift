// SPDX-License-Identifier: Apache-2.0

/// A span of time in nanoseconds; may be negative.
public struct Interval: Comparable, Hashable, Sendable, BitwiseCopyable {
  public let nanoseconds: Int64

  @inlinable
  public static var zero: Interval { Interval(nanoseconds: 0) }

  @inlinable
  public init(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
  }

  @inlinable
  public static func nanoseconds(_ count: Int64) -> Interval { Interval(nanoseconds: count) }

  @inlinable
  public static func microseconds(_ count: Int64) -> Interval { Interval(nanoseconds: count &* 1_000) }

  @inlinable
  public static func milliseconds(_ count: Int64) -> Interval { Interval(nanoseconds: count &* 1_000_000) }

  @inlinable
  public static func seconds(_ count: Int64) -> Interval { Interval(nanoseconds: count &* 1_000_000_000) }

  @inlinable
  public static func < (left: Interval, right: Interval) -> Bool { left.nanoseconds < right.nanoseconds }

  @inlinable
  public static func + (left: Interval, right: Interval) -> Interval {
    Interval(nanoseconds: left.nanoseconds &+ right.nanoseconds)
  }

  @inlinable
  public static func - (left: Interval, right: Interval) -> Interval {
    Interval(nanoseconds: left.nanoseconds &- right.nanoseconds)
  }
}
