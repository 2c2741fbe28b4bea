// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

/// How long to look for work before going to sleep.
///
/// Sleeping costs a wake-up by the kernel (some 10 to 20 microseconds until the thread runs) and a kick by the guest.
/// So after work has ended the loop looks on for a moment, if that has paid lately: the span grows when a sleep turns
/// out shorter than the longest span, and is given up when it does not. An idle NIC does not look at all, and a
/// processor that others want is not burnt.
public struct BusyPoll: Sendable {
  public enum Mode: String, CaseIterable, Sendable {
    case adaptive
    case never
    case always
  }

  private static let shortest = Interval.microseconds(10)
  private static let longest = Interval.microseconds(50)

  public let mode: Mode
  /// How long to look now; zero: not at all.
  public private(set) var span = Interval.zero

  public init(mode: Mode) { self.mode = mode }

  /// Looking was in vain, and the sleep after it took so long.
  public mutating func slept(_ duration: Interval) {
    guard mode == .adaptive else { return }
    if duration > Self.longest {
      span = .zero
    } else if span < Self.shortest {
      span = Self.shortest
    } else {
      span = min(span + span, Self.longest)
    }
  }
}
