// SPDX-License-Identifier: Apache-2.0

import Memory
import Packets
import Wire

// Fragments are never put together here (danger 32). A connection that sends any is served by its ends from then on.

extension VTCPModule {
  /// Looks whether a fragment that passes is the first of a packet of a connection that is followed.
  func noteFragment(_ layout: FrameLayout, _ frame: PassingFrame, _ leg: Leg) {
    guard let key = FlowKey(firstFragment: frame.head, layout, from: leg),
      let flow = identification.find(key)
    else { return }
    let index = SideIndex(flow, sender: leg)
    store[index].flags.insert(.fragmented)
    stopHolding(index)
    drain(index, .fragments)
  }
}

extension FlowKey {
  /// The key of the packet whose first fragment `head` begins with; nil for other fragments, which have no ports.
  init?(firstFragment head: ByteRegion, _ layout: FrameLayout, from leg: Leg) {
    let ports = layout.transportOffset
    let network = layout.networkOffset
    guard ports > 0, ports &+ 4 <= head.count else { return nil }
    let source: Endpoint
    let destination: Endpoint
    let sourcePort: UInt16 = head.networkOrder(at: ports)
    let destinationPort: UInt16 = head.networkOrder(at: ports &+ 2)
    if layout.ipVersion == 4 {
      // RFC 791 §3.1: the fragment's offset is the low 13 bits.
      guard head.networkOrder(UInt16.self, at: network &+ 6) & 0x1fff == 0 else { return nil }
      source = Endpoint(
        addressHigh: 0, addressLow: UInt64(head.networkOrder(UInt32.self, at: network &+ 12)), port: sourcePort)
      destination = Endpoint(
        addressHigh: 0, addressLow: UInt64(head.networkOrder(UInt32.self, at: network &+ 16)), port: destinationPort)
    } else {
      // RFC 8200 §4.5: the fragment header is the one before; its offset is the high 13 bits.
      guard head.networkOrder(UInt16.self, at: ports &- 6) &>> 3 == 0 else { return nil }
      source = Endpoint(
        addressHigh: head.networkOrder(at: network &+ 8), addressLow: head.networkOrder(at: network &+ 16),
        port: sourcePort)
      destination = Endpoint(
        addressHigh: head.networkOrder(at: network &+ 24), addressLow: head.networkOrder(at: network &+ 32),
        port: destinationPort)
    }
    let isFromGuest = leg == .guest
    self.init(
      guest: isFromGuest ? source : destination, network: isFromGuest ? destination : source,
      vlan: Self.vlan(head, layout), ipVersion: layout.ipVersion)
  }
}
