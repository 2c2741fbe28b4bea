// SPDX-License-Identifier: Apache-2.0

import Timekeeping

/// A point in time in 4 bytes, rounded down to 2^26 nanoseconds, 67 ms: enough for nine years, and for what is measured in seconds.
struct CoarseInstant: BitwiseCopyable, Sendable {
  private let ticks: UInt32

  init(_ instant: Instant) {
    ticks = UInt32(truncatingIfNeeded: instant.nanoseconds &>> 26)
  }

  var instant: Instant { Instant(nanoseconds: Int64(ticks) &<< 26) }
}
