// SPDX-License-Identifier: Apache-2.0

import CHost
import CLinux
public import Polling

/// This process: who it is, and where its program lies.
public enum OwnProcess {
  /// The effective user.
  public static var user: UInt32 { UInt32(bitPattern: vtcp_effective_user()) }

  /// The directory of our program's file; nil: it is not known.
  public static var programDirectory: String? {
    guard let path = SystemCalls.programPath(), let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else {
      return nil
    }
    return String(path[..<slash])
  }

  /// Members of the group are we too from now on: what it may read, so may we. EPERM without CAP_SETGID, unless we are members already.
  public static func join(group: UInt32) throws(SystemError) {
    try SystemCalls.check("join group \(group)", vtcp_join_group(group))
  }
}
