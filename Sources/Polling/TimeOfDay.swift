// SPDX-License-Identifier: Apache-2.0

import CLinux

/// The time of day (CLOCK_REALTIME), for what people read. It may jump: nothing is decided by it.
public enum TimeOfDay {
  /// Nanoseconds since 1970.
  public static func now() -> Int64 { vtcp_wall_now() }
}
