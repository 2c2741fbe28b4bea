// SPDX-License-Identifier: Apache-2.0

import CLinux
import Polling

extension PacketSocketUplink {
  /// - Parameter mtu: what the guest will be told; the interface is the host's, so its MTU is checked and not changed.
  static func open(interface: String, mtu: Int?) throws(UplinkError) -> PacketSocketUplink {
    let receiver = OwnedDescriptor(try opened(vtcp_packet_socket_open(interface), interface))
    let sender = OwnedDescriptor(try opened(vtcp_packet_sender_open(interface), interface))
    let ring = PacketTransmitRing(OwnedDescriptor(try opened(vtcp_packet_sender_open(interface), interface)))
    let link: Link
    do throws(SystemError) { link = try Link(interface) } catch { throw UplinkError("Cannot \(error).") }
    if let mtu, let carried = try? link.mtu(), carried < mtu {
      throw UplinkError(
        "The interface \(interface) has an MTU of \(carried), less than the \(mtu) wanted: "
          + "raise it with 'ip link set dev \(interface) mtu \(mtu)', or use --mtu \(carried).")
    }
    return PacketSocketUplink(link: link, receiver: receiver, sender: sender, ring: ring)
  }

  /// Goes on with the sockets that another process opened; nil: they are something else, or of another interface.
  static func resume(interface: String, descriptors: [OwnedDescriptor]) throws(UplinkError) -> PacketSocketUplink? {
    guard (2...3).contains(descriptors.count), let link = try? Link(interface) else { return nil }
    for descriptor in descriptors {
      guard vtcp_packet_socket_interface(descriptor.rawValue) == vtcp_interface_index(interface) else { return nil }
      EventDescriptor.setNonBlocking(descriptor.rawValue)
    }
    // Its slots begin anew: where the kernel stands in those that are there nobody can say. Without a ring all goes by the sender.
    let ring = descriptors.count == 3 ? PacketTransmitRing(resuming: descriptors[2]) : nil
    return PacketSocketUplink(link: link, receiver: descriptors[0], sender: descriptors[1], ring: ring)
  }

  private static func opened(_ result: Int32, _ interface: String) throws(UplinkError) -> Int32 {
    switch Int(result) {
    case 0...: return result
    case ErrorNumber.noSuchDevice, ErrorNumber.noDevice:
      throw UplinkError("There is no interface \(interface): 'ip link' lists those that exist.")
    case ErrorNumber.notPermitted, ErrorNumber.accessDenied:
      throw UplinkError("A packet socket on \(interface) needs CAP_NET_RAW: start as root or grant it.")
    default:
      throw UplinkError("\(SystemError(call: "Open a packet socket on \(interface)", code: -result)).")
    }
  }
}
