// SPDX-License-Identifier: Apache-2.0

import CLinux

/// What this process may do and is called. For the start of `main`, before other threads exist.
public enum Process {
  /// Ends the program.
  public static func exit(_ status: Int32) -> Never { vtcp_exit(status) }

  /// No program that this process runs can gain privileges (PR_SET_NO_NEW_PRIVS).
  public static func setNoNewPrivileges() throws(SystemError) {
    try SystemCalls.check("prctl", vtcp_no_new_privileges())
  }

  /// Whether `descriptor` was handed in open.
  public static func isOpen(_ descriptor: Int32) -> Bool { vtcp_descriptor_is_open(descriptor) != 0 }

  /// The name that process lists show; the kernel keeps its first 15 bytes.
  public static func setTitle(_ title: String) {
    _ = vtcp_set_process_name(title)
  }

  /// The number by which others know this process.
  public static var identifier: Int32 { vtcp_process_identifier() }

  /// The effective user is root.
  public static var isRoot: Bool { vtcp_effective_user() == 0 }
}
