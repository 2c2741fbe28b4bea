// SPDX-License-Identifier: Apache-2.0

import Timekeeping
import Wire

/// A span of time that ends when the receiver has acknowledged up to `end`. 16 bytes.
struct MonitoredSpan: BitwiseCopyable, Sendable {
  private var began = Instant(nanoseconds: 0)
  private var end = SequenceNumber(rawValue: 0)
  private(set) var isOpen = false

  mutating func open(until end: SequenceNumber, _ now: Instant) {
    self.end = end
    began = now
    isOpen = true
  }

  /// The receiver has acknowledged up to `number`. How long it took, if the span is over by that.
  mutating func close(at number: SequenceNumber, _ now: Instant) -> Interval? {
    guard isOpen, number >= end else { return nil }
    isOpen = false
    return now - began
  }
}
