// SPDX-License-Identifier: Apache-2.0

internal import Timekeeping

/// What algorithms that measure what the path carries are told of each acknowledgment.
struct Delivery {
  /// Newly known to have arrived, cumulatively or selectively; not less than 0.
  let bytes: Int
  /// The smoothed round trip, and the one that the acknowledgment shows, if it does.
  let roundTrip: Interval
  let sample: Interval?
  let window: Int
  let segmentSize: Int
  /// No loss is being recovered.
  let isOpen: Bool
  let now: Instant
}
