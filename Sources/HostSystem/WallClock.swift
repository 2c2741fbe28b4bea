// SPDX-License-Identifier: Apache-2.0

import CHost

/// The time that people mean (CLOCK_REALTIME); it may jump.
public enum WallClock {
  /// Nanoseconds since 1970, without leap seconds.
  public static func now() -> Int64 { vtcp_wall_clock() }
}
