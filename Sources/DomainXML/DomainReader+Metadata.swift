// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
import Wire

/// Our metadata. What they may say is in packaging/libvirt/policy.rng too.
extension DomainReader {
  static let mostGroups = 32
  static let mostNICs = 256
  static let mostSettings = 64
  /// Octets of a setting's value.
  static let longestValue = 256

  mutating func policy(_ element: XMLElement) -> PolicyMetadata {
    expect(element, attributes: ["class", "groups"], children: ["nic", "set"])
    var metadata = PolicyMetadata(place: element.place)
    metadata.policyClass = word(element, "class", "a class")
    metadata.groups = groups(element)
    metadata.settings = settings(element)
    let nics = element.all("nic", namespace: policyNamespace)
    if nics.count > Self.mostNICs { note(nics[Self.mostNICs], "there are at most \(Self.mostNICs) NICs") }
    for nic in nics.prefix(Self.mostNICs) {
      guard let read = self.nic(nic) else { continue }
      guard metadata.nic(read.macAddress) == nil else {
        note(nic, "the NIC \(read.macAddress) stands twice: say all of it in one place")
        continue
      }
      metadata.nics.append(read)
    }
    return metadata
  }

  private mutating func nic(_ element: XMLElement) -> NICMetadata? {
    expect(element, attributes: ["class", "mac"], children: ["set"])
    guard let text = element["mac"] else {
      note(element, "<nic> needs the address of the interface that it is about: mac='52:54:00:...'")
      return nil
    }
    let policyClass = word(element, "class", "a class")
    let settings = settings(element)
    guard let address = macAddress(element, text) else { return nil }
    return NICMetadata(macAddress: address, policyClass: policyClass, settings: settings, place: element.place)
  }

  private mutating func groups(_ element: XMLElement) -> [String] {
    let words = (element["groups"] ?? "").utf8.split(whereSeparator: { [0x20, 0x09, 0x0a, 0x0d].contains($0) })
    var groups: [String] = []
    for word in words {
      let group = String(decoding: word, as: UTF8.self)
      guard DomainText.isWord(group) else {
        note(element, "\(DomainText.shown(group)) is no group: 1 to 64 letters, digits, -, _, . and /")
        continue
      }
      guard groups.count < Self.mostGroups else {
        note(element, "a domain is in at most \(Self.mostGroups) groups")
        break
      }
      if !groups.contains(group) { groups.append(group) }
    }
    return groups
  }

  private mutating func settings(_ element: XMLElement) -> [MetadataSetting] {
    let elements = element.all("set", namespace: policyNamespace)
    if elements.count > Self.mostSettings {
      note(elements[Self.mostSettings], "there are at most \(Self.mostSettings) settings")
    }
    var settings: [MetadataSetting] = []
    for element in elements.prefix(Self.mostSettings) {
      expect(element, attributes: ["key", "value"], children: [])
      guard let key = word(element, "key", "a key"), let value = value(element) else {
        if element["key"] == nil || element["value"] == nil { note(element, "<set> needs key='...' and value='...'") }
        continue
      }
      guard !settings.contains(where: { $0.key == key }) else {
        note(element, "\(DomainText.shown(key)) is set twice")
        continue
      }
      settings.append(MetadataSetting(key: key, value: value, place: element.place))
    }
    return settings
  }

  private mutating func value(_ element: XMLElement) -> String? {
    guard let value = element["value"] else { return nil }
    guard (1...Self.longestValue).contains(value.utf8.count), value.unicodeScalars.allSatisfy(DomainText.isPrintable)
    else {
      note(element, "a value has 1 to \(Self.longestValue) octets, all printable, unlike \(DomainText.shown(value))")
      return nil
    }
    return value
  }

  /// The attribute's word, if it is there and is one.
  private mutating func word(_ element: XMLElement, _ attribute: String, _ what: String) -> String? {
    guard let word = element[attribute] else { return nil }
    guard DomainText.isWord(word) else {
      note(element, "\(DomainText.shown(word)) is no name of \(what): 1 to 64 letters, digits, -, _, . and /")
      return nil
    }
    return word
  }

  /// Notes what is there that is not expected, but for what others put there in namespaces of their own.
  private mutating func expect(_ element: XMLElement, attributes: [String], children: [String]) {
    for attribute in element.attributes
    where attribute.name.namespace == nil && !attributes.contains(attribute.name.local) {
      note(element, unexpected(attribute.name.local, attributes, "an attribute of <\(element.name.local)>"))
    }
    for child in element.children where child.name.namespace == policyNamespace && !children.contains(child.name.local)
    {
      note(child, unexpected(child.name.local, children, "an element in <\(element.name.local)>"))
    }
    if !DomainText.trimmed(element.text).isEmpty {
      note(
        element,
        "<\(element.name.local)> has attributes, and no text like \(DomainText.shown(DomainText.trimmed(element.text)))"
      )
    }
  }

  private func unexpected(_ word: String, _ known: [String], _ what: String) -> String {
    let meant = NearestWord.of(word, in: known).map { "; did you mean \($0)?" } ?? ""
    let choices = known.isEmpty ? "" : " (\(known.joined(separator: ", ")))"
    return "\(DomainText.shown(word)) is not \(what)\(choices)\(meant)"
  }
}
