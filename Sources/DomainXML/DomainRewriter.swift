// SPDX-License-Identifier: Apache-2.0

public import Wire

/// Puts into a domain's XML what NICs of ours need: shared memory, reconnecting, and `host_mtu` where `<mtu>` would keep it from starting. Of NICs of
/// other types it can make ours. The rest of the text stays as it is, and rewriting twice is rewriting once.
public struct DomainRewriter {
  /// Which interfaces of other types become ours.
  public enum Adoption: Equatable, Sendable {
    case none
    case all
    /// Those of these addresses.
    case addresses(Set<MACAddress>)

    func takes(_ address: MACAddress?) -> Bool {
      switch self {
      case .none: false
      case .all: true
      case .addresses(let set): address.map(set.contains) ?? false
      }
    }
  }

  /// Of our sockets.
  let folder: String
  let adoption: Adoption
  var edits: XMLEdits
  var changes: [String] = []
  /// `host_mtu` by alias, to be written at the end.
  var mtus: [(alias: String, mtu: String)] = []

  /// - Parameter folder: where our sockets are, an absolute path.
  public static func rewrite(
    _ octets: [UInt8], folder: String, adopting adoption: Adoption = .none
  ) throws(DomainMistake) -> DomainRewriting {
    let root = try XMLTree.parse(octets)
    // Says what is wrong with the beginning.
    let domain = try DomainReading(parsing: octets).domain
    var rewriter = DomainRewriter(folder: folder, adoption: adoption, edits: XMLEdits(octets))
    rewriter.rewrite(root, domain)
    let result = rewriter.edits.applied()
    // A defect of ours rather than a text that libvirt would refuse.
    _ = try DomainReading(parsing: result)
    return DomainRewriting(octets: result, changes: rewriter.changes)
  }

  private mutating func rewrite(_ root: XMLElement, _ domain: Domain) {
    guard let devices = root.first("devices") else { return }
    var ours = 0
    for (index, element) in devices.all("interface").enumerated() {
      if element["type"] == "vhostuser" {
        guard let path = element.first("source")?["path"], SocketPath.file(of: path, in: folder) != nil else {
          continue
        }
        ours += 1
        mend(element, index)
      } else if adoption.takes(element.first("mac")?["address"].flatMap { try? MACAddress(parsing: $0) }) {
        ours += 1
        adopt(element, index, domain)
      }
    }
    guard ours > 0 else { return }
    if !DomainReader.isMemoryShared(root) { shareMemory(root, devices) }
    writeMTUs(root)
  }

  private mutating func shareMemory(_ root: XMLElement, _ devices: XMLElement) {
    changes.append("the guest's memory is shared")
    let access = "<access mode='shared'/>"
    let source = "<source type='memfd'/>"
    guard let backing = root.first("memoryBacking") else {
      return edits.insert(["<memoryBacking>\(source)\(access)</memoryBacking>"], before: devices)
    }
    var lines = backing.first("source") == nil && backing.first("hugepages") == nil ? [source] : []
    if let old = backing.first("access") { edits.replace(old.range, by: access) } else { lines.append(access) }
    if !lines.isEmpty { edits.append(lines, to: backing) }
  }

  /// An interface of ours.
  private mutating func mend(_ element: XMLElement, _ index: Int) {
    let shown = element.first("source")?["path"] ?? ""
    if let source = element.first("source"), source["mode"] != SocketMode.server.rawValue {
      let reconnect = Self.reconnect
      if let old = source.first("reconnect") {
        if old["enabled"] != "yes" {
          edits.replace(old.range, by: reconnect)
          changes.append("\(shown): QEMU connects again when the NIC was away")
        }
      } else {
        edits.append([reconnect], to: source)
        changes.append("\(shown): QEMU connects again when the NIC was away")
      }
    }
    moveMTU(element, index, shown)
  }

  static let reconnect = "<reconnect enabled='yes' timeout='1'/>"

  /// `<mtu>` becomes `host_mtu` of the device.
  mutating func moveMTU(_ element: XMLElement, _ index: Int, _ shown: String) {
    guard let mtu = element.first("mtu"), let size = mtu["size"], DomainText.number(size) != nil else { return }
    edits.remove(mtu)
    mtus.append((alias(element, index), size))
    changes.append("\(shown): the guest is told the MTU \(size) by host_mtu, since libvirt can't set it")
  }

  /// The one that the administrator chose, or a new one.
  private mutating func alias(_ element: XMLElement, _ index: Int) -> String {
    let old = element.first("alias")
    if let name = old?["name"], name.hasPrefix("ua-"), DomainText.isWord(name) { return name }
    let digits = element.first("mac")?["address"].flatMap { try? MACAddress(parsing: $0) }?.description.filter {
      $0 != ":"
    }
    let name = "ua-vtcp-\(digits ?? "\(index)")"
    if let old {
      edits.replace(old.range, by: "<alias name='\(name)'/>")
    } else {
      edits.append(["<alias name='\(name)'/>"], to: element)
    }
    return name
  }

  private mutating func writeMTUs(_ root: XMLElement) {
    guard !mtus.isEmpty else { return }
    let namespace = DomainNames.qemuNamespace
    var devices: [String] = []
    for (alias, mtu) in mtus {
      let property = "<property xmlns='\(namespace)' name='host_mtu' type='unsigned' value='\(mtu)'/>"
      let known = root.all("override", namespace: namespace).flatMap { $0.all("device", namespace: namespace) }
        .first { $0["alias"] == alias }
      if let frontend = known?.first("frontend", namespace: namespace) {
        if let old = frontend.all("property", namespace: namespace).first(where: { $0["name"] == "host_mtu" }) {
          edits.replace(old.range, by: property)
        } else {
          edits.append([property], to: frontend)
        }
      } else if let known {
        edits.append(["<frontend xmlns='\(namespace)'>\(property)</frontend>"], to: known)
      } else {
        devices.append("<device xmlns='\(namespace)' alias='\(alias)'><frontend>\(property)</frontend></device>")
      }
    }
    guard !devices.isEmpty else { return }
    if let override = root.first("override", namespace: namespace) {
      edits.append(devices, to: override)
    } else {
      edits.append(["<override xmlns='\(namespace)'>\(devices.joined())</override>"], to: root)
    }
  }
}
