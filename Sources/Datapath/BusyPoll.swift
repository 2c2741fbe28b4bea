// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

/// How long to look for work before going to sleep.
///
/// # Theory of operation
///
/// Sleeping costs a wake-up by the kernel and a kick by the guest; looking costs a processor, which may be the one that
/// the peer needs to bring the work. Which is better can't be known, but measured: by how long work takes to come.
///
/// A *period* is the time without work, from the end of some to the next. While periods are short and no large frames
/// went before them (requests and responses, floods of small packets), 64 of them are tried, in groups of 8 that sleep
/// and 8 that look, in turns. If work came sooner by an eighth to those that looked, the next 2048 look too, else they sleep; then it is
/// tried anew. Periods that are long (an idle NIC) or that follow large frames (a bulk transfer, which gains by larger
/// batches) end it: those sleep, and nothing is tried before 32 in a row were otherwise.
public struct BusyPoll: Sendable {
  public enum Mode: String, CaseIterable, Sendable {
    case adaptive
    case never
    case always
  }

  private enum Stage: Sendable {
    /// Not worth trying; so many periods in a row were otherwise.
    case resting(Int)
    /// So many periods were tried.
    case trying(Int)
    /// So many periods are left until it is tried again.
    case settled(Int, looks: Bool)
  }

  /// How long a period may be to be a short one, and so how long to look.
  static let longest = Interval.microseconds(60)
  /// Bytes of large frames that may go before a period that is worth a try.
  static let bulk = 4096
  private static let rest = 32
  private static let trial = 64
  private static let group = 8
  private static let settlement = 2048

  public let mode: Mode
  private var stage = Stage.resting(0)
  /// Of the periods tried, each at most `longest`.
  private var slept = Interval.zero
  private var looked = Interval.zero
  /// Periods in a row that were long or followed a bulk transfer: one by itself says nothing.
  private var strangers = 0

  public init(mode: Mode) { self.mode = mode }

  /// How long to look in the period that begins now; zero: not at all.
  public var span: Interval {
    guard mode == .adaptive else { return .zero }
    return switch stage {
    case .resting: .zero
    case .trying(let count): count / Self.group % 2 == 0 ? .zero : Self.longest
    case .settled(_, let looks): looks ? Self.longest : .zero
    }
  }

  /// A period of `duration` is over, before which so many bytes of large frames were moved.
  public mutating func ended(after duration: Interval, bulkBytes: Int) {
    guard mode == .adaptive else { return }
    let isStrange = duration > Self.longest + Self.longest || bulkBytes > Self.bulk
    strangers = isStrange ? strangers + 1 : 0
    guard strangers < Self.group else {
      stage = .resting(0)
      return
    }
    switch stage {
    case .resting(let count): rested(isStrange ? 0 : count + 1)
    case .trying(let count): tried(count, duration)
    case .settled(let left, let looks):
      stage = left > 1 ? .settled(left - 1, looks: looks) : .trying(0)
    }
  }

  private mutating func rested(_ count: Int) {
    stage = count < Self.rest ? .resting(count) : .trying(0)
  }

  private mutating func tried(_ count: Int, _ duration: Interval) {
    if count == 0 {
      slept = .zero
      looked = .zero
    }
    // A period that is longer by far has reasons of its own.
    let counted = min(duration, Self.longest + Self.longest)
    if span == .zero { slept = slept + counted } else { looked = looked + counted }
    guard count + 1 == Self.trial else {
      stage = .trying(count + 1)
      return
    }
    stage = .settled(
      Self.settlement, looks: looked.nanoseconds < slept.nanoseconds - slept.nanoseconds / 8)
  }
}
