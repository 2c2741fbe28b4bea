// SPDX-License-Identifier: Apache-2.0

public import ControlProtocol
import DomainXML
public import LibvirtHooks
import Wire

/// The libvirt domain that a NIC is bound to, as policies are told of it: what its XML says. It comes and goes with the domain; what a port was made
/// with stays beside it.
public struct NICDomain: Equatable, Sendable {
  public var name: String
  /// In small letters, with hyphens.
  public var uuid: String
  /// The guest's, for rules that ask for it. Nothing is dropped because of it.
  public var macAddress: String?
  public var alias: String?
  public var groups: [String] = []
  /// What the metadata name for all NICs of the domain, and for this one.
  public var machineClass: String?
  public var nicClass: String?
  public var inline: [NICSettings.Setting] = []
  public var bandwidth: NICSettings.Bandwidth?

  public init(name: String, uuid: String) {
    self.name = name
    self.uuid = uuid
  }

  /// Nil: the domain has no UUID, which libvirt gives to each.
  public init?(_ binding: NICBinding) {
    guard let uuid = binding.uuid else { return nil }
    self.init(name: binding.domain, uuid: uuid.description)
    macAddress = binding.macAddress?.description
    alias = binding.alias
    groups = binding.groups
    machineClass = binding.domainClass
    nicClass = binding.policyClass
    // What is said of the NIC comes after what is said of all, and counts.
    let own = Set(binding.settings.map(\.key))
    inline = (binding.domainSettings.filter { !own.contains($0.key) } + binding.settings).map {
      .init($0.key, $0.value)
    }
    let inbound = binding.inbound.map {
      NICSettings.Bandwidth.Direction(average: $0.average, peak: $0.peak, burst: $0.burst)
    }
    let outbound = binding.outbound.map {
      NICSettings.Bandwidth.Direction(average: $0.average, peak: $0.peak, burst: $0.burst)
    }
    if inbound != nil || outbound != nil { bandwidth = NICSettings.Bandwidth(inbound: inbound, outbound: outbound) }
  }

  public var json: JSONValue {
    var settings = NICSettings()
    settings.machine = name
    settings.uuid = uuid
    settings.macAddress = macAddress
    settings.alias = alias
    settings.groups = groups
    settings.machineClass = machineClass
    settings.nicClass = nicClass
    settings.inline = inline
    settings.bandwidth = bandwidth
    guard case .object(let members) = settings.json else { return .null }
    return .object(members.filter { $0.key != "origin" })
  }

  /// What `json` wrote, read as a NIC's settings. Nil: it has no name or UUID.
  init?(_ settings: NICSettings) {
    guard let name = settings.machine, let uuid = settings.uuid else { return nil }
    self.init(name: name, uuid: uuid)
    macAddress = settings.macAddress
    alias = settings.alias
    groups = settings.groups
    machineClass = settings.machineClass
    nicClass = settings.nicClass
    inline = settings.inline
    bandwidth = settings.bandwidth
  }
}
