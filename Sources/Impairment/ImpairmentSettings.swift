// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

/// What one direction of a link does to frames. As it is made, nothing.
public struct ImpairmentSettings: Equatable, Sendable {
  /// From the link's head to its end.
  public var delay = Interval.zero
  /// Up to so much more or less; frames stay in their order.
  public var jitter = Interval.zero
  /// Octets a second that the link carries; nil: any number.
  public var rate: Int?
  /// Octets that wait at the link's head at most, with a `rate`.
  public var queue = 262_144
  /// Each frame for itself.
  public var loss = Probability.never
  public var bursts: BurstLoss?
  public var reorder = Probability.never
  /// How long a frame is held back that is to be overtaken.
  public var reorderBy = Interval.milliseconds(1)
  public var duplicate = Probability.never
  /// One bit is turned over, anywhere in the frame; checksums are left as they are.
  public var corrupt = Probability.never
  /// Congestion is marked (RFC 3168) in frames that say that they can be.
  public var mark = Probability.never
  /// Congestion is marked in frames that find so many octets waiting before them; nil: not.
  public var markAbove: Int?
  public var stall: Stall?

  public init() {}
}
