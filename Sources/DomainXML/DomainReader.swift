// SPDX-License-Identifier: Apache-2.0

import Wire

/// Picks from the elements of a domain what concerns us, and notes what is wrong with it.
struct DomainReader {
  /// More interfaces than a machine has slots for.
  static let mostInterfaces = 256

  /// Of the elements of our metadata.
  let policyNamespace: String?
  private var mistakes: [DomainMistake] = []

  init(policyNamespace: String? = DomainNames.policyNamespace) {
    self.policyNamespace = policyNamespace
  }

  var sortedMistakes: [DomainMistake] { mistakes.sorted { ($0.line, $0.column) < ($1.line, $1.column) } }

  mutating func note(_ element: XMLElement, _ text: String) {
    if mistakes.count < DomainReading.mostMistakes { mistakes.append(DomainMistake(element.place, text)) }
  }

  mutating func domain(_ root: XMLElement) -> Domain {
    Domain(
      name: name(root), uuid: uuid(root), isMemoryShared: Self.isMemoryShared(root), metadata: metadata(root),
      interfaces: interfaces(root))
  }

  private mutating func name(_ root: XMLElement) -> String {
    guard let element = root.first("name") else { return "" }
    let name = DomainText.trimmed(element.text)
    guard name.utf8.count <= 255, name.unicodeScalars.allSatisfy(DomainText.isPrintable), !name.contains("/") else {
      note(
        element,
        "a domain's name has at most 255 octets, all printable, and no slash; this one is \(DomainText.shown(name))")
      return ""
    }
    return name
  }

  private mutating func uuid(_ root: XMLElement) -> DomainUUID? {
    guard let element = root.first("uuid") else { return nil }
    let text = DomainText.trimmed(element.text)
    guard let uuid = DomainUUID(text) else {
      note(element, "\(DomainText.shown(text)) is no UUID: 32 hexadecimal digits, with hyphens")
      return nil
    }
    return uuid
  }

  static func isMemoryShared(_ root: XMLElement) -> Bool {
    if root.first("memoryBacking")?.first("access")?["mode"] == "shared" { return true }
    let cells = root.first("cpu")?.first("numa")?.all("cell") ?? []
    return !cells.isEmpty && cells.allSatisfy { $0["memAccess"] == "shared" }
  }

  private mutating func metadata(_ root: XMLElement) -> PolicyMetadata? {
    let policies = root.all("metadata").flatMap { $0.all("policy", namespace: policyNamespace) }
    for other in root.all("metadata").flatMap(\.children)
    where other.name.namespace == policyNamespace && other.name.local != "policy" {
      note(other, "our metadata are one element, policy, not \(DomainText.shown(other.name.local))")
    }
    for second in policies.dropFirst() {
      note(second, "there are policies already, in line \(policies[0].place.line): take one out")
    }
    return policies.first.map { policy($0) }
  }

  private mutating func interfaces(_ root: XMLElement) -> [DomainInterface] {
    let elements = root.all("devices").flatMap { $0.all("interface") }.filter { $0["type"] == "vhostuser" }
    if elements.count > Self.mostInterfaces {
      note(elements[Self.mostInterfaces], "a domain has at most \(Self.mostInterfaces) vhostuser interfaces")
    }
    let overrides = HostMTUOverrides(root)
    var found: [DomainInterface] = []
    for element in elements.prefix(Self.mostInterfaces) {
      guard var interface = interface(element) else { continue }
      if let text = overrides.mtu(interface.alias) {
        interface.mtu = number(element, text, "host_mtu of its qemu:override", 68...65_535)
      }
      if let address = interface.macAddress, found.contains(where: { $0.macAddress == address }) {
        note(element, "two vhostuser interfaces have the address \(address): NICs are known by it")
        continue
      }
      if found.contains(where: { $0.path == interface.path }) {
        note(element, "two interfaces have the socket \(DomainText.shown(interface.path)): each needs one of its own")
        continue
      }
      found.append(interface)
    }
    return found
  }

  /// The number, if it is within the range.
  mutating func number(_ element: XMLElement, _ text: String, _ what: String, _ range: ClosedRange<Int>) -> Int? {
    guard let number = DomainText.number(text), range.contains(number) else {
      note(
        element, "\(what) is a number from \(range.lowerBound) to \(range.upperBound), not \(DomainText.shown(text))")
      return nil
    }
    return number
  }

  /// An address that one station can have.
  mutating func macAddress(_ element: XMLElement, _ text: String) -> MACAddress? {
    guard let address = try? MACAddress(parsing: text), !address.isMulticast else {
      note(
        element,
        "\(DomainText.shown(text)) is no address of a NIC: six numbers of two hexadecimal digits with colons, not of a group"
      )
      return nil
    }
    return address
  }
}
