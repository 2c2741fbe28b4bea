// SPDX-License-Identifier: Apache-2.0

public import Wire

/// An `<interface type='vhostuser'>`.
public struct DomainInterface: Equatable, Sendable {
  /// With the domain's UUID what a NIC is known by. Nil before libvirt has made one up.
  public var macAddress: MACAddress?
  /// Of the socket.
  public var path: String
  public var mode: SocketMode
  /// QEMU connects again when the back-end has gone (`<reconnect enabled='yes'>`).
  public var reconnects = false
  /// Seconds between two tries; nil: not said.
  public var reconnectSeconds: Int?
  /// Queue pairs (`<driver queues=>`).
  public var queues = 1
  /// Octets, that the guest is told by `host_mtu` of `<qemu:override>`; nil: not said.
  public var mtu: Int?
  /// Octets of `<mtu size=>`, which libvirt takes for an interface of the host's and so refuses to start with.
  public var mtuElement: Int?
  /// `<alias name=>`: `ua-...` if the administrator chose it.
  public var alias: String?
  /// Network to guest.
  public var inbound: BandwidthLimit?
  /// Guest to network.
  public var outbound: BandwidthLimit?
  /// Of the element.
  public var place: XMLPlace

  /// Whether the socket lies in the folder itself, both given as absolute paths. Links are not followed: libvirt and QEMU are told the
  /// same path.
  public func lies(in folder: String) -> Bool { SocketPath.file(of: path, in: folder) != nil }

  /// The NIC's name: that of its socket in `folder`, without `.sock`. Nil if the socket is elsewhere, or its name has no such end.
  public func name(in folder: String) -> String? {
    guard let file = SocketPath.file(of: path, in: folder), file.hasSuffix(".sock"), file.utf8.count > 5 else {
      return nil
    }
    return String(file.dropLast(5))
  }
}
