// SPDX-License-Identifier: Apache-2.0

import CLinux
import Polling

/// An interface and the socket by which the kernel is asked about it.
///
/// The socket is opened with the uplink: later the process may open none, and it stays in the network namespace in
/// which it was opened.
final class Link {
  let interface: String
  private let socket: OwnedDescriptor

  init(_ interface: String) throws(SystemError) {
    self.interface = interface
    socket = OwnedDescriptor(try SystemCalls.check("open a socket for interfaces", vtcp_link_socket_open()))
  }

  /// The bytes that it carries behind an Ethernet header. Read anew each time.
  func mtu() throws(SystemError) -> Int {
    Int(try SystemCalls.check("read the MTU of \(interface)", vtcp_interface_mtu(socket.rawValue, interface)))
  }

  /// Needs CAP_NET_ADMIN, unless it is the MTU already.
  func setMTU(_ mtu: Int) throws(SystemError) {
    try SystemCalls.check(
      "set the MTU of \(interface) to \(mtu)",
      vtcp_interface_set_mtu(socket.rawValue, interface, Int32(clamping: mtu)))
  }

  /// Needs CAP_NET_ADMIN, unless it is up already.
  func setUp() throws(SystemError) {
    try SystemCalls.check("set \(interface) up", vtcp_interface_up(socket.rawValue, interface))
  }
}
