// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

/// Both windows after one acknowledgment.
public struct ReplayedWindow: Sendable, CustomStringConvertible {
  public var time: Instant
  /// Segments; ours counts octets.
  public var ours: Double
  public var theirs: Int
  /// So many before.
  public var losses: Int
  /// The last of them was one of which Linux is to make the same.
  public var isComparable = true

  /// By how many segments Linux's may lie beside what it is computed for, besides being whole: `Replay.rounding`.
  public var rounding = 0.0

  /// How far apart they are, without `rounding`.
  public var segments: Double { max((ours - Double(theirs)).magnitude - rounding, 0) }
  /// Microseconds, theirs, ours.
  public var description: String { "\(time.nanoseconds / 1000) \(theirs) \(ours)" }

  public var percent: Double { 100 * segments / Double(max(theirs, 1)) }
}
