// SPDX-License-Identifier: Apache-2.0

import CLinux
public import Timekeeping

/// A descriptor that becomes readable at a time (`timerfd`, monotonic clock).
public final class TimerDescriptor {
  private let descriptor: OwnedDescriptor

  public init() throws(SystemError) {
    descriptor = try OwnedDescriptor("timerfd_create", vtcp_timerfd_create())
  }

  public var rawValue: Int32 { descriptor.rawValue }

  /// Becomes readable once, `after` from now; at once when `after` is not positive. Replaces what was armed before.
  public func arm(after: Interval) {
    _ = vtcp_timerfd_arm(descriptor.rawValue, max(after.nanoseconds, 1))
  }

  public func disarm() {
    _ = vtcp_timerfd_arm(descriptor.rawValue, 0)
  }

  /// Makes it unreadable again.
  public func drain() {
    _ = vtcp_eventfd_drain(descriptor.rawValue)
  }
}
