// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

/// One acknowledgment as a kernel has had it, and what it made of its window.
public struct RecordedAcknowledgment: Sendable {
  /// Since the line before.
  public var after: Interval
  /// Octets newly acknowledged, cumulatively. 0: a duplicate, or it tells of what arrived behind a hole.
  public var octets: Int
  /// Octets that were not known to have arrived before.
  public var delivered: Int
  /// What the kernel took for a sample of the round trip; nil: it took none.
  public var sample: Interval?
  /// Octets sent and not acknowledged cumulatively, before this.
  public var inFlight: Int
  /// Segments: the kernel's window when it had done with it.
  public var window: Int
  /// It reports a mark (ECE).
  public var isMarked = false
}
