// SPDX-License-Identifier: Apache-2.0

import CLinux

/// The variables of the program's environment. For the start of `main`, before other threads exist.
public enum Environment {
  /// The variable's value; nil: there is none, or it is empty.
  public static func value(_ name: String) -> String? {
    guard let value = SystemCalls.environment(name), !value.isEmpty else { return nil }
    return value
  }

  /// The same, and takes it away: it was meant for this process, and for none that it might start.
  public static func take(_ name: String) -> String? {
    defer { vtcp_forget_environment(name) }
    return value(name)
  }
}
