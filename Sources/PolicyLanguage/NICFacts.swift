// SPDX-License-Identifier: Apache-2.0

/// What is known of a virtual NIC and its VM when a policy is compiled for it.
public struct NICFacts: Equatable, Sendable {
  /// The VM's name.
  public var vm: String
  /// Nil: not known.
  public var uuid: String?
  public var mac: String?
  public var alias: String?
  /// The VM's groups, from its metadata.
  public var groups: [String] = []
  /// The class that the VM's metadata says.
  public var vmClass: String?
  /// The class that its metadata says of this NIC.
  public var nicClass: String?
  /// The class that an administrator gave the port; it comes before the metadata's.
  public var portClass: String?
  /// Knobs that the metadata sets.
  public var settings: [PolicySetting] = []
  public var bandwidth = NICBandwidth()

  public init(vm: String, uuid: String? = nil, mac: String? = nil, alias: String? = nil) {
    self.vm = vm
    self.uuid = uuid
    self.mac = mac
    self.alias = alias
  }

  /// What a field of rules is compared with.
  func names(_ field: MatchField) -> [String] {
    switch field {
    case .vm: [vm]
    case .uuid: uuid.map { [$0.lowercased()] } ?? []
    case .mac: mac.map { [$0.lowercased()] } ?? []
    case .alias: alias.map { [$0] } ?? []
    case .group: groups
    case .proto, .vlan, .innerVlan, .vni, .src, .dst, .guest, .peer, .sport, .dport, .guestPort, .peerPort, .opener,
      .dscp:
      []
    }
  }
}
