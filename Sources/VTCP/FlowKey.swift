// SPDX-License-Identifier: Apache-2.0

public import Wire

/// What tells one connection from another (R10, FIG. 16): VLAN tags, virtual network, protocol, both endpoints.
///
/// It is written as the guest sees it, whichever way a packet goes, so that both directions have one key. 48 bytes.
public struct FlowKey: BitwiseCopyable, Equatable, Sendable {
  public let guestAddressHigh: UInt64
  public let guestAddressLow: UInt64
  public let networkAddressHigh: UInt64
  public let networkAddressLow: UInt64
  public let guestPort: UInt16
  public let networkPort: UInt16
  /// Identifiers of the outer and the inner VLAN tag, 12 bits each; above them the number of tags.
  public let vlan: UInt32
  /// The VXLAN network identifier plus one; 0: none.
  public let virtualNetwork: UInt32
  public let transportProtocol: UInt8
  public let ipVersion: UInt8
  private let unused: UInt16 = 0

  public init(
    guest: Endpoint, network: Endpoint, vlan: UInt32 = 0, virtualNetwork: UInt32 = 0,
    transportProtocol: UInt8 = IPProtocol.tcp, ipVersion: UInt8
  ) {
    guestAddressHigh = guest.addressHigh
    guestAddressLow = guest.addressLow
    networkAddressHigh = network.addressHigh
    networkAddressLow = network.addressLow
    guestPort = guest.port
    networkPort = network.port
    self.vlan = vlan
    self.virtualNetwork = virtualNetwork
    self.transportProtocol = transportProtocol
    self.ipVersion = ipVersion
  }

  /// Of IPv4, from the wire's words: source and destination address, source and destination port.
  init(addresses: UInt64, ports: UInt32, isFromGuest: Bool, vlan: UInt32) {
    let (sourceAddress, destinationAddress) = (addresses &>> 32, addresses & 0xffff_ffff)
    let sourcePort = UInt16(truncatingIfNeeded: ports &>> 16)
    let destinationPort = UInt16(truncatingIfNeeded: ports)
    guestAddressHigh = 0
    guestAddressLow = isFromGuest ? sourceAddress : destinationAddress
    networkAddressHigh = 0
    networkAddressLow = isFromGuest ? destinationAddress : sourceAddress
    guestPort = isFromGuest ? sourcePort : destinationPort
    networkPort = isFromGuest ? destinationPort : sourcePort
    self.vlan = vlan
    virtualNetwork = 0
    transportProtocol = IPProtocol.tcp
    ipVersion = 4
  }

  public var guest: Endpoint {
    Endpoint(addressHigh: guestAddressHigh, addressLow: guestAddressLow, port: guestPort)
  }

  public var network: Endpoint {
    Endpoint(addressHigh: networkAddressHigh, addressLow: networkAddressLow, port: networkPort)
  }
}
