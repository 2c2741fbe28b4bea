// SPDX-License-Identifier: Apache-2.0

public import TCPPolicy
import Wire

/// A connection as people write it: `tcp 10.1.2.3:40022 > 10.9.9.9:873`, `[fd00::1]:40022 > [fd00::2]:873`; who opens it stands first. Behind
/// that may stand `opener=network`, `vlan=100`, `innerVlan=5`, `vni=7`, `dscp=46`.
public struct FlowDescription: Sendable, CustomStringConvertible {
  private static let form = "tcp 10.1.2.3:40022 > 10.9.9.9:873, or [fd00::1]:40022 > [fd00::2]:873"
  private static let keys = ["opener", "vlan", "innerVlan", "vni", "dscp"]

  public let facts: ConnectionFacts

  public init(_ facts: ConnectionFacts) { self.facts = facts }

  /// - Parameter opener: who opens it, if the text does not say so.
  public init(parsing text: String, opener: ConnectionEnd = .guest) throws(PolicyMistake) {
    guard text.utf8.count <= 1024 else { throw PolicyMistake(nil, "a connection is \(Self.form)") }
    var words: [Substring] = []
    for (place, part) in text.split(separator: ">", omittingEmptySubsequences: false).enumerated() {
      if place > 0 { words.append(">") }
      words += part.split { $0 == " " || $0 == "\t" }
    }
    if words.first == "tcp" { words.removeFirst() }
    guard words.count >= 3, words[1] == ">" else {
      throw PolicyMistake(nil, "\(Suggestion.quoted(text)) is no connection: \(Self.form)")
    }
    let source = try Self.end(words[0])
    let destination = try Self.end(words[2])
    guard source.isIPv6 == destination.isIPv6 else {
      throw PolicyMistake(nil, "both ends of a connection have IPv4 addresses, or both have IPv6 addresses")
    }
    let values = try Self.values(words.dropFirst(3))
    var who = opener
    if let word = values["opener"] {
      guard let end = ConnectionEnd.allCases.first(where: { "\($0)" == word }) else {
        throw PolicyMistake(nil, "opener is guest or network, not \(Suggestion.quoted(word))")
      }
      who = end
    }
    let (guest, network) = who == .guest ? (source.end, destination.end) : (destination.end, source.end)
    var facts = ConnectionFacts(guest: guest, network: network, ipVersion: source.isIPv6 ? 6 : 4, opener: who)
    let outer = try Self.number("vlan", values, 0...4094)
    let inner = try Self.number("innerVlan", values, 0...4094)
    if let outer { facts.vlan = 1 << 24 | outer << 12 }
    if let inner {
      guard let outer else { throw PolicyMistake(nil, "there is no inner VLAN tag without an outer one") }
      facts.vlan = 2 << 24 | outer << 12 | inner
    }
    if let network = try Self.number("vni", values, 0...0xff_ffff) { facts.virtualNetwork = network + 1 }
    facts.dscp = UInt8(clamping: try Self.number("dscp", values, 0...63) ?? 0)
    self.facts = facts
  }

  private static func end(_ word: Substring) throws(PolicyMistake) -> (end: Endpoint, isIPv6: Bool) {
    let mistake = PolicyMistake(nil, "\(Suggestion.quoted(word)) is no address with a port: \(form)")
    guard let colon = word.lastIndex(of: ":"), let number = NumberText.decimal(word[word.index(after: colon)...]),
      let port = UInt16(exactly: number)
    else { throw mistake }
    var address = word[..<colon]
    let hasBrackets = address.hasPrefix("[") && address.hasSuffix("]") && address.count > 2
    if hasBrackets { address = address.dropFirst().dropLast() }
    guard !address.contains("/"), let prefix = AddressParser.prefix(address), hasBrackets == (prefix.ipVersion == 6)
    else { throw mistake }
    return (
      Endpoint(addressHigh: prefix.addressHigh, addressLow: prefix.addressLow, port: port), prefix.ipVersion == 6
    )
  }

  private static func values(_ words: ArraySlice<Substring>) throws(PolicyMistake) -> [String: String] {
    var values: [String: String] = [:]
    for word in words {
      let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2, keys.contains(parts[0]) else {
        let meant = Suggestion.meant(parts.first ?? "", keys)
        throw PolicyMistake(
          nil,
          "behind a connection stands \(Suggestion.list(keys)) with = and a value, not \(Suggestion.quoted(word))\(meant)"
        )
      }
      guard values.updateValue(parts[1], forKey: parts[0]) == nil else {
        throw PolicyMistake(nil, "\(parts[0]) stands twice")
      }
    }
    return values
  }

  private static func number(
    _ key: String, _ values: [String: String], _ range: ClosedRange<Int>
  ) throws(PolicyMistake) -> UInt32? {
    guard let text = values[key] else { return nil }
    guard let number = NumberText.decimal(text), range.contains(number) else {
      throw PolicyMistake(nil, "\(key) is \(range.lowerBound) to \(range.upperBound), not \(Suggestion.quoted(text))")
    }
    return UInt32(clamping: number)
  }

  public var description: String {
    var text = "\(Self.name(facts.source, facts)) > \(Self.name(facts.destination, facts)) opener=\(facts.opener)"
    if facts.vlan >> 24 > 0 { text += " vlan=\(facts.vlan >> 12 & 0xfff)" }
    if facts.vlan >> 24 > 1 { text += " innerVlan=\(facts.vlan & 0xfff)" }
    if facts.virtualNetwork > 0 { text += " vni=\(facts.virtualNetwork - 1)" }
    if facts.dscp > 0 { text += " dscp=\(facts.dscp)" }
    return (facts.transportProtocol == IPProtocol.tcp ? "tcp " : "protocol \(facts.transportProtocol) ") + text
  }

  private static func name(_ end: Endpoint, _ facts: ConnectionFacts) -> String {
    let address = AddressBlock(end, isIPv6: facts.ipVersion == 6)
    return address.isIPv6 ? "[\(address)]:\(end.port)" : "\(address):\(end.port)"
  }
}
