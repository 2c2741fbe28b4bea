// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

/// One acknowledgment as a kernel has had it, and what it made of its window.
public struct RecordedAcknowledgment: Sendable {
  /// Since the line before.
  public var after: Interval
  /// Octets newly acknowledged, cumulatively.
  public var octets: Int
  /// What the kernel took for a sample of the round trip; nil: it took none.
  public var sample: Interval?
  /// Octets sent and not acknowledged cumulatively, before this.
  public var inFlight: Int
  /// Segments: the kernel's window when it had done with it.
  public var window: Int
}
