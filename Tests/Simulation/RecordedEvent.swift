// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

/// One line of a `RecordedSchedule`.
public enum RecordedEvent: Sendable {
  case acknowledgment(RecordedAcknowledgment)
  /// The kernel found a loss and reduced its window; `inFlight` as RFC 5681 has it. The acknowledgment that told of it is the next line.
  /// `window`: what it was reduced from, in segments; nil: what the last acknowledgment left.
  case loss(after: Interval, inFlight: Int, window: Int?)
  /// The kernel reduced its window because of a mark, which the next line reports.
  case mark(after: Interval, window: Int?)
  /// All that was in flight at the loss is acknowledged, by the next line, of which so many octets had not been selectively acknowledged before.
  case ended(delivered: Int)
  /// The kernel's timer expired.
  case timeout(after: Interval, inFlight: Int)
}
