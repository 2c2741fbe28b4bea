// SPDX-License-Identifier: Apache-2.0

import CLinux
public import Timekeeping

/// The clock of timers and measurements (CLOCK_MONOTONIC).
public enum MonotonicClock {
  public static func now() -> Instant {
    Instant(nanoseconds: vtcp_monotonic_now())
  }
}
