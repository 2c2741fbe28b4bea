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

  public var segments: Double { (ours - Double(theirs)).magnitude }
  /// Microseconds, theirs, ours.
  public var description: String { "\(time.nanoseconds / 1000) \(theirs) \(ours)" }

  public var percent: Double { 100 * segments / Double(max(theirs, 1)) }
}
