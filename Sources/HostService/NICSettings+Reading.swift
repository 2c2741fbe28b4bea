// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import Wire
import YAMLDocument

extension NICSettings {
  private static let keys = [
    "origin", "user", "vm", "uuid", "mac", "alias", "groups", "vmClass", "class", "settings", "bandwidth", "uplink",
    "bridge",
    "queues",
    "mtu", "mode", "domain",
  ]
  private static let longestText = 256

  /// Reads what `json` writes, or a body of `PUT /v1/nics/NAME`, which is the same but for `origin`: JSON or YAML. Throws all mistakes.
  ///
  /// - Parameter file: what to call the text in mistakes.
  public init(reading octets: [UInt8], file: String, isStored: Bool = false) throws(ServiceError) {
    let reading = YAMLReader.read(octets)
    var mistakes = MistakeList(file: file)
    for mistake in reading.mistakes { mistakes.add(mistake.mark, mistake.sentence) }
    self.init()
    if let root = reading.root {
      let known = isStored ? Self.keys : Self.keys.filter { !["origin", "user", "domain"].contains($0) }
      var reader = SettingsReader(root, known: known, mistakes: mistakes)
      read(&reader)
      mistakes = reader.mistakes
    }
    guard mistakes.isEmpty else {
      throw ServiceError(
        .mistaken, "the NIC can't be made so: \(mistakes.lines.count) mistakes", mistakes: mistakes.lines)
    }
  }

  private mutating func read(_ reader: inout SettingsReader) {
    if let word = reader.word("origin", of: ["port", "libvirt"]), let read = Origin(rawValue: word) { origin = read }
    user = reader.value("user", "a user's number") { UInt32($0) }
    func short(_ text: String) -> String? { text.utf8.count <= Self.longestText ? text : nil }
    machine = reader.value("vm", "a VM's name of at most \(Self.longestText) octets", short)
    uuid = reader.value("uuid", "a UUID such as 4dea22b3-1d52-d8f3-2516-782e98ab3fa0", Self.uuid)
    macAddress = reader.value("mac", "a NIC's address such as 52:54:00:00:00:01", Self.macAddress)
    alias = reader.value("alias", "a name of at most \(Self.longestText) octets", short)
    groups = reader.texts("groups", "a group's name") ?? []
    machineClass = reader.value("vmClass", "the name of a class of the policy", short)
    nicClass = reader.value("class", "the name of a class of the policy", short)
    uplink = reader.value("uplink", "tap:NAME, packet:NAME or null") { UplinkTemplate.isUplink($0) ? $0 : nil }
    bridge = reader.value("bridge", "the name of a bridge, of at most 15 octets") { Self.isInterface($0) ? $0 : nil }
    queuePairs = reader.number("queues", 1...64)
    mtu = reader.number("mtu", 68...65_535)
    mode = reader.word("mode", of: Self.modes)
    readInline(&reader)
    readBandwidth(&reader)
    readDomain(&reader)
  }

  private mutating func readDomain(_ reader: inout SettingsReader) {
    guard let node = reader.node("domain") else { return }
    var parts = SettingsReader(
      node, prefix: "domain.",
      known: ["vm", "uuid", "mac", "alias", "groups", "vmClass", "class", "settings", "bandwidth"],
      mistakes: reader.mistakes)
    var settings = NICSettings()
    settings.read(&parts)
    reader.mistakes = parts.mistakes
    bound = NICDomain(settings)
  }

  private mutating func readInline(_ reader: inout SettingsReader) {
    guard let node = reader.node("settings") else { return }
    guard let entries = node.entries else { return reader.fail("settings", "is a mapping of keys to values") }
    for entry in entries.prefix(64) {
      guard let value = entry.value.text else {
        reader.fail("settings", "has one value for each key")
        continue
      }
      inline.append(Setting(entry.key, value))
    }
  }

  private mutating func readBandwidth(_ reader: inout SettingsReader) {
    guard let node = reader.node("bandwidth") else { return }
    var parts = SettingsReader(
      node, prefix: "bandwidth.", known: ["inbound", "outbound"], mistakes: reader.mistakes)
    func direction(_ key: String) -> Bandwidth.Direction? {
      guard let node = parts.node(key) else { return nil }
      var numbers = SettingsReader(
        node, prefix: "bandwidth.\(key).", known: ["average", "peak", "burst"], mistakes: parts.mistakes)
      let most = 1...(Int.max >> 20)
      let read = Bandwidth.Direction(
        average: numbers.number("average", most), peak: numbers.number("peak", most),
        burst: numbers.number("burst", most))
      parts.mistakes = numbers.mistakes
      return read
    }
    let inbound = direction("inbound")
    let outbound = direction("outbound")
    reader.mistakes = parts.mistakes
    bandwidth = Bandwidth(inbound: inbound, outbound: outbound)
  }

  /// In small letters, as libvirt writes it; nil: it is none.
  static func uuid(_ text: String) -> String? {
    let parts = text.lowercased().split(separator: "-", omittingEmptySubsequences: false)
    guard parts.map(\.utf8.count) == [8, 4, 4, 4, 12] else { return nil }
    let isHexadecimal = parts.joined().utf8.allSatisfy {
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
    }
    return isHexadecimal ? text.lowercased() : nil
  }

  private static func macAddress(_ text: String) -> String? {
    guard let address = try? MACAddress(parsing: text), !address.isMulticast else { return nil }
    return text.lowercased()
  }

  static func isInterface(_ text: String) -> Bool {
    text.utf8.count <= 15 && UplinkTemplate.isUplink("tap:" + text)
  }
}
