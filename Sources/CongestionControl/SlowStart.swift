// SPDX-License-Identifier: Apache-2.0

/// Slow start (RFC 5681, section 3.1), counting bytes (RFC 3465, section 2.2). The same for all algorithms.
enum SlowStart {
  /// The window after `bytes` were acknowledged, and how many of the bytes were not used up below the threshold.
  ///
  /// - Parameter divisor: by how many times slower than usual it grows (RFC 9406).
  static func grown(
    window: Int, acknowledged bytes: Int, threshold: Int, limit: Int, divisor: Int = 1
  ) -> (window: Int, rest: Int) {
    let counted = min(bytes, limit) / divisor
    let grown = min(window + counted, threshold)
    return (grown, counted - (grown - window))
  }
}
