// SPDX-License-Identifier: Apache-2.0

public import Wire

/// What rules may ask of a connection (FIG. 16, 1610 to 1670).
public struct ConnectionFacts: BitwiseCopyable, Equatable, Sendable {
  public var guest: Endpoint
  public var network: Endpoint
  /// The number of VLAN tags, 0 to 2, from bit 24 on; the outer tag's identifier from bit 12 on; the inner tag's below.
  public var vlan: UInt32
  /// The VXLAN network identifier plus one; 0: none.
  public var virtualNetwork: UInt32
  /// The IPv4 protocol or the last IPv6 next header.
  public var transportProtocol: UInt8
  /// 4 or 6: what the addresses are.
  public var ipVersion: UInt8
  /// Who sent the first SYN.
  public var opener: ConnectionEnd
  /// The differentiated services code point of that SYN (RFC 2474, section 3): 0 to 63.
  public var dscp: UInt8

  public init(
    guest: Endpoint, network: Endpoint, vlan: UInt32 = 0, virtualNetwork: UInt32 = 0,
    transportProtocol: UInt8 = IPProtocol.tcp, ipVersion: UInt8, opener: ConnectionEnd,
    dscp: UInt8 = 0
  ) {
    self.guest = guest
    self.network = network
    self.vlan = vlan
    self.virtualNetwork = virtualNetwork
    self.transportProtocol = transportProtocol
    self.ipVersion = ipVersion
    self.opener = opener
    self.dscp = dscp
  }

  /// The end that opened it.
  public var source: Endpoint { opener == .guest ? guest : network }
  /// The end that it was opened to.
  public var destination: Endpoint { opener == .guest ? network : guest }
}
