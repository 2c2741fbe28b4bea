// SPDX-License-Identifier: Apache-2.0

import CLinux
import Packets
import Polling

/// An interface and the sockets by which the kernel is asked about it.
///
/// The sockets are opened with the uplink: later the process may open none, and they stay in the network namespace in
/// which they were opened.
final class Link {
  let interface: String
  private let socket: OwnedDescriptor
  /// Of rtnetlink; nil where there is none.
  private let query: OwnedDescriptor?
  private let index: Int32

  init(_ interface: String) throws(SystemError) {
    self.interface = interface
    socket = OwnedDescriptor(try SystemCalls.check("open a socket for interfaces", vtcp_link_socket_open()))
    let query = vtcp_link_query_open()
    self.query = query < 0 ? nil : OwnedDescriptor(query)
    index = vtcp_interface_index(interface)
  }

  /// The bytes that it carries behind an Ethernet header. Read anew each time.
  func mtu() throws(SystemError) -> Int {
    Int(try SystemCalls.check("read the MTU of \(interface)", vtcp_interface_mtu(socket.rawValue, interface)))
  }

  /// What it takes in one piece; nil if the kernel does not say. Read anew each time.
  var egressLimits: EgressLimits? {
    var limits = vtcp_link_limits()
    guard let query, vtcp_link_query(query.rawValue, index, &limits) >= 0 else { return nil }
    return LinkLimits(limits).egress
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
