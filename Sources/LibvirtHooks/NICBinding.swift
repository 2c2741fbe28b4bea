// SPDX-License-Identifier: Apache-2.0

public import DomainXML
public import Wire

/// What a domain's XML asks of one NIC.
public struct NICBinding: Equatable, Sendable {
  /// The NIC's: that of its socket, without `.sock`.
  public let name: String
  /// Of the socket.
  public let path: String
  public let mode: SocketMode
  /// The domain's name and UUID.
  public let domain: String
  public let uuid: DomainUUID?
  public let macAddress: MACAddress?
  public let alias: String?
  public let queues: Int
  /// Octets; nil: vtcpd's own choice.
  public let mtu: Int?
  /// What the domain's metadata say of all its NICs; nil: nothing.
  public let domainClass: String?
  public let groups: [String]
  public let domainSettings: [MetadataSetting]
  /// What they say of this one.
  public let policyClass: String?
  public let settings: [MetadataSetting]
  /// Network to guest, guest to network.
  public let inbound: BandwidthLimit?
  public let outbound: BandwidthLimit?

  /// - Parameter folder: of our sockets. Nil: the interface's is elsewhere, or has no name that a NIC's can have.
  init?(_ interface: DomainInterface, of domain: Domain, folder: String) {
    guard let name = interface.name(in: folder) else { return nil }
    let metadata = domain.metadata
    let own = interface.macAddress.flatMap { metadata?.nic($0) }
    self.name = name
    path = interface.path
    mode = interface.mode
    self.domain = domain.name
    uuid = domain.uuid
    macAddress = interface.macAddress
    alias = interface.alias
    queues = interface.queues
    mtu = interface.mtu
    domainClass = metadata?.policyClass
    groups = metadata?.groups ?? []
    domainSettings = metadata?.settings ?? []
    policyClass = own?.policyClass
    settings = own?.settings ?? []
    inbound = interface.inbound
    outbound = interface.outbound
  }
}
