// SPDX-License-Identifier: Apache-2.0

/// A distribution as it was read.
public struct Histogram: Equatable, Sendable {
  /// How many there are in each of `HistogramBuckets`.
  let buckets: [UInt64]
  /// Of all numbers; wraps.
  public let sum: UInt64

  /// Numbers that were counted. Sums of what others wrote stay at their largest.
  public var count: UInt64 {
    buckets.reduce(0) { sum, bucket in
      let (next, overflow) = sum.addingReportingOverflow(bucket)
      return overflow ? .max : next
    }
  }

  /// The number below which `percent` of all are, within an eighth; nil if there are none.
  public func percentile(_ percent: Double) -> Int? {
    let count = count
    guard count > 0 else { return nil }
    let rank = max(1, Double(count) * min(max(percent, 0), 100) / 100)
    var seen = 0.0
    for (place, bucket) in buckets.enumerated() {
      seen += Double(bucket)
      if bucket > 0, seen >= rank { return HistogramBuckets.middle(of: place) }
    }
    return buckets.lastIndex { $0 > 0 }.map { HistogramBuckets.middle(of: $0) }
  }

  /// Where each bucket that is not empty begins, and how many are in it.
  public var filled: [(begin: Int, count: UInt64)] {
    buckets.enumerated().filter { $0.element > 0 }.map { (HistogramBuckets.begin(of: $0.offset), $0.element) }
  }
}
