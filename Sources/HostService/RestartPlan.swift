// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

/// When a NIC that has died is started again, and with what.
///
/// At once, with all that is kept, so that its guest does not notice. If it dies again and again right after its start, what is kept may be what it dies of: after
/// some attempts, further and further apart, it starts without the session.
public struct RestartPlan: Equatable, Sendable {
  /// How it is to be started.
  public enum Start: Equatable, Sendable {
    /// With all that is kept.
    case resuming
    /// Without the front-end's session, which will have to connect again.
    case clean
  }

  /// What to do about a death.
  public struct Decision: Equatable, Sendable {
    public let start: Start
    /// Zero: at once.
    public let delay: Interval

    public init(_ start: Start, after delay: Interval) {
      self.start = start
      self.delay = delay
    }
  }

  /// The numbers of it.
  public struct Rules: Equatable, Sendable {
    /// Who has run so long did not die of its start.
    public var stableAfter = Interval.seconds(1)
    /// Deaths one right after the other until the session is dropped.
    public var deaths = 5
    public var firstDelay = Interval.milliseconds(100)
    public var longestDelay = Interval.seconds(10)

    public init() {}
  }

  private let rules: Rules
  private var started: Instant?
  /// Deaths right after a start, one after the other.
  public private(set) var quickDeaths = 0
  /// Of all.
  public private(set) var deaths = 0

  public init(rules: Rules) {
    self.rules = rules
  }

  public mutating func wasStarted(now: Instant) {
    started = now
  }

  public mutating func died(now: Instant) -> Decision {
    deaths += 1
    let hasRun = started.map { now - $0 >= rules.stableAfter } ?? true
    guard !hasRun else {
      quickDeaths = 0
      return Decision(.resuming, after: .zero)
    }
    quickDeaths += 1
    // The first of them may have been bad luck.
    guard quickDeaths > 1 else { return Decision(.resuming, after: .zero) }
    let doublings = min(quickDeaths - 2, 20)
    let (grown, overflow) = rules.firstDelay.nanoseconds.multipliedReportingOverflow(by: Int64(1) << Int64(doublings))
    let delay = overflow ? rules.longestDelay : min(.nanoseconds(grown), rules.longestDelay)
    return Decision(quickDeaths >= rules.deaths ? .clean : .resuming, after: delay)
  }
}
