// SPDX-License-Identifier: Apache-2.0

/// An interface of another type becomes one of ours.
extension DomainRewriter {
  /// What stays; the rest is about the other type.
  private static let kept = [
    "mac", "model", "driver", "alias", "address", "boot", "rom", "bandwidth", "acpi", "mtu", "link",
  ]

  mutating func adopt(_ element: XMLElement, _ index: Int, _ domain: Domain) {
    let shown = element.first("mac")?["address"].map { DomainText.shown($0) } ?? "interface \(index)"
    let path = SocketPath.joined(folder, SocketPath.fileName(domain: domain.name, index: index))
    changes.append(
      "\(shown): of type \(DomainText.shown(element["type"] ?? "")), is one of type vhostuser at \(path) now")
    noteBridge(element, shown, SocketPath.fileName(domain: domain.name, index: index))
    edits.replace(element.startTag, by: startTag(element))
    let source = "<source type='unix' path='\(XMLEscape.attribute(path))' mode='client'>\(Self.reconnect)</source>"
    var lines: [String] = []
    if let old = element.first("source") { edits.replace(old.range, by: source) } else { lines.append(source) }
    adoptModel(element, shown, &lines)
    for child in element.children where !Self.kept.contains(child.name.local) && child !== element.first("source") {
      edits.remove(child)
      if child.name.local != "target" { changes.append("\(shown): \(DomainText.shown(child.name.local)) is left out") }
    }
    if !lines.isEmpty { edits.append(lines, to: element) }
    moveMTU(element, index, path)
  }

  /// Which bridge a NIC joins is vtcpd's to know: what a domain says may be a tenant's word.
  private mutating func noteBridge(_ element: XMLElement, _ shown: String, _ file: String) {
    guard let source = element.first("source"), let former = source["bridge"] ?? source["network"] else { return }
    let what = source["bridge"] == nil ? "libvirt's network" : "the bridge"
    let bridge = source["bridge"].flatMap { DomainText.isWord($0) ? $0 : nil } ?? "BRIDGE"
    let name = file.hasSuffix(".sock") ? String(file.dropLast(5)) : file
    changes.append(
      "\(shown): it was in \(what) \(DomainText.shown(former)), and joins the bridge of vtcpd.yaml now; for another one: vtcpctl port add \(name) --bridge \(bridge)"
    )
  }

  private mutating func adoptModel(_ element: XMLElement, _ shown: String, _ lines: inout [String]) {
    let model = "<model type='virtio'/>"
    guard let old = element.first("model") else { return lines.append(model) }
    guard let type = old["type"], !type.hasPrefix("virtio") else { return }
    edits.replace(old.range, by: model)
    changes.append("\(shown): the guest sees a virtio NIC instead of \(DomainText.shown(type))")
  }

  private func startTag(_ element: XMLElement) -> String {
    let others = element.attributes.filter { $0.name.namespace == nil && $0.name.local != "type" }
    let words = others.map { " \($0.name.local)='\(XMLEscape.attribute($0.value))'" }.joined()
    return "<interface type='vhostuser'\(words)\(element.isSelfClosing ? "/>" : ">")"
  }
}
