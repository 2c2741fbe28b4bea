// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

/// A receiver that stands still for a part of each period, as a virtual machine does that has to share its processor.
public struct Stall: Equatable, Sendable {
  /// How long it stands still, at the end of each period.
  public var stands: Interval
  public var period: Interval

  /// - Parameter stands: shorter than `period`.
  public init(stands: Interval, period: Interval) {
    precondition(stands >= .zero && stands < period, "it runs at some time")
    self.stands = stands
    self.period = period
  }

  /// The first time from `instant` on at which it runs; the first period begins at `start`.
  func running(from instant: Instant, start: Instant) -> Instant {
    let since = (instant - start).nanoseconds
    guard since >= 0 else { return instant }
    let rest = since % period.nanoseconds
    guard rest >= period.nanoseconds - stands.nanoseconds else { return instant }
    return instant + Interval(nanoseconds: period.nanoseconds - rest)
  }
}
