// SPDX-License-Identifier: Apache-2.0

import CHost
public import Polling

/// Unix sockets with a name, an owner and a mode. A socket that nobody answers on gives way; anything else stays, and is an error.
public enum HostSocket {
  public static func listen(path: String, backlog: Int32, access: FileAccess) throws(SystemError) -> OwnedDescriptor {
    OwnedDescriptor(
      try SystemCalls.check(
        "listen on \(path)",
        vtcp_host_bind(path, 0, backlog, access.mode, access.userNumber, access.groupNumber)))
  }

  static func bindDatagram(path: String, access: FileAccess) throws(SystemError) -> OwnedDescriptor {
    OwnedDescriptor(
      try SystemCalls.check(
        "listen on \(path)", vtcp_host_bind(path, 1, 0, access.mode, access.userNumber, access.groupNumber)))
  }
}
