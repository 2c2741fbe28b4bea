// SPDX-License-Identifier: Apache-2.0

/// What is being timed on one side.
struct MonitoredSpans: BitwiseCopyable, Sendable {
  /// Until what was acknowledged early is acknowledged by the receiver.
  var lead = MonitoredSpan()
  /// From a loss until what was in flight then is acknowledged.
  var loss = MonitoredSpan()

  var areOpen: Bool { lead.isOpen || loss.isOpen }
}
