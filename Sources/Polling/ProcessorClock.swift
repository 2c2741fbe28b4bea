// SPDX-License-Identifier: Apache-2.0

import CLinux
public import Timekeeping

/// What this thread has had of its processor (CLOCK_THREAD_CPUTIME_ID).
public enum ProcessorClock {
  public static func now() -> Interval { .nanoseconds(vtcp_thread_time()) }
}
