// SPDX-License-Identifier: Apache-2.0

import CHost
public import Polling
public import Timekeeping

/// What this process may use, and has used.
public enum ResourceLimits {
  /// As many open files as wanted, or as many as may be. Returns how many that is.
  public static func raiseOpenFiles(to wanted: Int) throws(SystemError) -> Int {
    Int(clamping: try SystemCalls.check("raise the limit of open files", vtcp_raise_file_limit(UInt64(max(wanted, 0)))))
  }

  /// Processor time of all of this process.
  public static var processorTime: Interval { .nanoseconds(vtcp_process_time()) }
}
