// SPDX-License-Identifier: Apache-2.0

import CHost
import CLinux
public import Polling

/// What is done with interfaces once they are there.
public enum HostNetwork {
  /// EBUSY
  private static let busy: Int32 = 16

  /// Makes the interface a port of the bridge; nothing happens if it is a port of it, or of another one.
  public static func join(_ interface: String, to bridge: String) throws(SystemError) {
    let link = OwnedDescriptor(try SystemCalls.check("open a socket", vtcp_link_socket_open()))
    do throws(SystemError) {
      try SystemCalls.check(
        "add \(interface) to the bridge \(bridge)", vtcp_bridge_add(link.rawValue, bridge, interface))
    } catch {
      guard error.code == busy else { throw error }
    }
  }
}
