// SPDX-License-Identifier: Apache-2.0

public import DomainXML

/// What vtcpd does when libvirt's hook calls.
public struct LibvirtHook<Host: HookHost> {
  /// Mistakes that stand in a refusal: it is one line of virsh.
  private static var mostShown: Int { 3 }

  private let host: Host

  public init(host: Host) {
    self.host = host
  }

  /// What is to be done for the operation on the domain of `reading`.
  public func action(_ operation: HookOperation, _ reading: DomainReading) -> HookAction {
    let bindings = bindings(reading.domain)
    guard !reading.domain.interfaces(in: host.folder).isEmpty else { return .pass }
    switch operation {
    case .prepare, .start:
      if let sentence = refusal(reading, bindings) { return .refuse(sentence) }
      return .provide(bindings)
    // It runs, and shall go on whatever is wrong.
    case .started, .reconnect, .attach: return bindings.isEmpty ? .pass : .provide(bindings)
    case .release: return .release(bindings)
    // QEMU has gone, and `release` comes for certain.
    case .stopped: return .pass
    // The XML stays as it is, and `prepare` comes next.
    case .migrate, .restore: return .pass
    }
  }

  /// What the domain asks of each of its NICs that is ours. For a running one whose XML has changed: what is not among them is not the domain's any
  /// more.
  public func bindings(_ domain: Domain) -> [NICBinding] {
    domain.interfaces.compactMap { NICBinding($0, of: domain, folder: host.folder) }
  }

  /// Why the domain can't be started, or nil.
  private func refusal(_ reading: DomainReading, _ bindings: [NICBinding]) -> String? {
    if !reading.mistakes.isEmpty { return Self.sentence(of: reading) }
    guard reading.domain.isMemoryShared else {
      return
        "the memory of domain \(reading.domain.name) is not shared, so that no vhostuser interface can reach it: write"
        + " <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>"
    }
    for interface in reading.domain.interfaces(in: host.folder) {
      guard interface.name(in: host.folder) != nil else {
        return
          "the socket \(interface.path) of domain \(reading.domain.name) can't be a NIC's: its name ends with .sock"
      }
      if let mtu = interface.mtuElement { return Self.refusal(mtu: mtu, interface) }
    }
    for binding in bindings {
      if let sentence = refusal(binding) { return sentence }
    }
    return nil
  }

  private func refusal(_ binding: NICBinding) -> String? {
    if let objection = host.objection(name: binding.name) {
      return "the socket \(binding.path) of domain \(binding.domain) can't be a NIC's: \(objection)"
    }
    guard binding.mode == .client else {
      return
        "\(binding.path) of domain \(binding.domain) has mode='server'; vtcpd's NICs listen themselves: write mode='client'"
    }
    guard binding.queues <= host.mostQueues else {
      return
        "\(binding.path) of domain \(binding.domain) asks for \(binding.queues) queues; a NIC has at most \(host.mostQueues)"
    }
    if let owner = host.owner(binding.name), owner.uuid != binding.uuid {
      return "the socket \(binding.path) is in use by domain \(owner.name): give domain \(binding.domain) another path"
    }
    return host.objection(policy: binding)
  }

  private static func refusal(mtu: Int, _ interface: DomainInterface) -> String {
    let alias = interface.alias.flatMap { $0.hasPrefix("ua-") ? $0 : nil } ?? "ua-vtcp"
    return
      "libvirt can't start a vhostuser interface with <mtu size='\(mtu)'/> (\(interface.path)): take it out, give the interface"
      + " <alias name='\(alias)'/>, and set host_mtu by <qemu:override> (vtcpctl libvirt rewrite-xml does it)"
  }

  private static func sentence(of reading: DomainReading) -> String {
    let shown = reading.mistakes.prefix(mostShown).map { "line \($0.line): \($0.text)" }.joined(separator: "; ")
    let more = reading.mistakes.count - min(reading.mistakes.count, mostShown)
    return "the XML of domain \(reading.domain.name) has mistakes: \(shown)" + (more > 0 ? "; and \(more) more" : "")
  }
}
