// SPDX-License-Identifier: Apache-2.0
import FrameSupport
import TCPPolicy
import Wire

/// A random policy as text, and the same as a model. Fields are of few values, so that they meet.
struct RandomDocument {
  struct Class {
    var parent: String?
    /// Octets, by direction, and segments.
    var transmit: Int?
    var receive: Int?
    var threshold: Int?
    /// Octets until which the first phase lasts, and its threshold.
    var phase: (octets: Int, threshold: Int)?
  }

  private var random: SplitMix64
  private(set) var classes: [(name: String, content: Class)] = []
  private(set) var rules: [ModelRule] = []
  private(set) var text = "apiVersion: vtcp/v1\n"
  private(set) var fallback: String?

  private let ports = [0, 1, 80, 443, 65_535]
  private let words: [UInt64] = [0, 1, 0x0a01_0101, 0x0a02_0202, 0x8000_0000, 0xffff_ffff]
  private let names = ["web1", "db-1", "db-22"]

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    makeClasses()
    text += "rules:\n"
    for _ in 0..<number(1...6) { makeRule() }
    if chance(60) {
      fallback = any(of: classes.map(\.name))
      text += "default: \(fallback ?? "")\n"
    }
  }

  private mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
  private mutating func chance(_ percent: Int) -> Bool { number(0...99) < percent }
  private mutating func any<Value>(of values: [Value]) -> Value { values[number(0...values.count - 1)] }

  private mutating func makeClasses() {
    text += "classes:\n"
    for number in 0..<self.number(1...5) {
      var content = Class()
      if number > 0, chance(50) { content.parent = any(of: classes.map(\.name)) }
      if chance(50) { content.transmit = self.number(1...9999) }
      if chance(50) { content.receive = self.number(1...9999) }
      if chance(50) { content.threshold = self.number(1...255) }
      if chance(20) { content.phase = (self.number(1...9999), self.number(1...255)) }
      let name = "k\(number)"
      classes.append((name, content))
      text += "  \(name):\n    shutWindow: keepPromise\n"
      if let parent = content.parent { text += "    extends: \(parent)\n" }
      // Both directions at once, or each by itself.
      if let transmit = content.transmit, transmit == content.receive {
        text += "    buffer: \(transmit)\n"
      } else {
        if let transmit = content.transmit { text += "    tx: { buffer: \(transmit) }\n" }
        if let receive = content.receive { text += "    rx: { buffer: \(receive) }\n" }
      }
      if let threshold = content.threshold { text += "    dupAckThreshold: \(threshold)\n" }
      if let phase = content.phase {
        text += "    phases: [{ until: { bytes: \(phase.octets) }, set: { dupAckThreshold: \(phase.threshold) } }]\n"
      }
    }
  }

  private mutating func makeRule() {
    var rule = ModelRule()
    var fields: [String] = []
    if chance(40) {
      let patterns = ["web*", "db-?", "*", "db-*", "web1", "*1"]
      let pattern = any(of: patterns)
      let isNot = chance(30)
      if isNot { rule.vm.unwanted = [pattern] } else { rule.vm.wanted = [pattern] }
      fields.append("vm: \"\(isNot ? "!" : "")\(pattern)\"")
    }
    for field in ["src", "dst", "guest", "peer"] where chance(25) {
      let (choice, text) = choice { $0.block() }
      rule.addresses[field] = choice
      fields.append("\(field): \(text)")
    }
    for field in ["sport", "dport", "guestPort", "peerPort"] where chance(20) {
      let (choice, text) = choice { generator in
        let range = [generator.any(of: generator.ports), generator.any(of: generator.ports)].sorted()
        return (range[0]...range[1], "\(range[0])-\(range[1])")
      }
      rule.ports[field] = choice
      fields.append("\(field): \(text)")
    }
    if chance(15) { fields.append("vlan: \(identifiers(&rule.vlan))") }
    if chance(10) { fields.append("innerVlan: \(identifiers(&rule.innerVLAN))") }
    if chance(15) { fields.append("vni: \(identifiers(&rule.vni))") }
    if chance(10) {
      let (choice, text) = choice { generator in
        let low = generator.number(0...63)
        return (low...63, "\(low)-63")
      }
      rule.dscp = choice
      fields.append("dscp: \(text)")
    }
    if chance(25) {
      let end = any(of: ConnectionEnd.allCases)
      rule.opener = end
      fields.append("opener: \(end)")
    }
    rule.className = any(of: classes.map(\.name))
    rule.replaces = chance(20)
    rules.append(rule)
    let match = fields.isEmpty ? "any" : "{ \(fields.joined(separator: ", ")) }"
    text += "  - { match: \(match), class: \(rule.className), replace: \(rule.replaces) }\n"
  }

  /// Some values of which any will do, and some that it must not be.
  private mutating func choice<Value>(
    _ value: (inout RandomDocument) -> (Value, String)
  ) -> (ModelRule.Choice<Value>, String) {
    var choice = ModelRule.Choice<Value>()
    var texts: [String] = []
    for _ in 0..<number(1...3) {
      let (value, text) = value(&self)
      let isNot = chance(25)
      if isNot { choice.unwanted.append(value) } else { choice.wanted.append(value) }
      texts.append("\"\(isNot ? "!" : "")\(text)\"")
    }
    return (choice, texts.count == 1 && chance(50) ? texts[0] : "[\(texts.joined(separator: ", "))]")
  }

  private mutating func identifiers(_ values: inout [Int?]) -> String {
    var texts: [String] = []
    for _ in 0..<number(1...2) {
      let value: Int? = chance(30) ? nil : any(of: [0, 1, 2])
      values.append(value)
      texts.append(value.map { "\($0)" } ?? "none")
    }
    return "[\(texts.joined(separator: ", "))]"
  }

  /// The bits that a length leaves out are none.
  private mutating func block() -> (ModelRule.Block, String) {
    let isIPv6 = chance(40)
    guard isIPv6 else {
      let length = any(of: [0, 1, 8, 16, 31, 32])
      let address = length == 0 ? 0 : (any(of: words) >> UInt64(32 - length)) << UInt64(32 - length)
      let octets = [24, 16, 8, 0].map { "\(address >> UInt64($0) & 0xff)" }.joined(separator: ".")
      return (ModelRule.Block(high: 0, low: address, length: length, isIPv6: false), "\(octets)/\(length)")
    }
    let length = any(of: [0, 1, 8, 64])
    let word = any(of: words) << 32 | any(of: words)
    let high = length == 0 ? 0 : (word >> UInt64(64 - length)) << UInt64(64 - length)
    let groups = [48, 32, 16, 0].map { String(high >> UInt64($0) & 0xffff, radix: 16) }.joined(separator: ":")
    return (ModelRule.Block(high: high, low: 0, length: length, isIPv6: true), "\(groups)::/\(length)")
  }

  mutating func vm() -> String { any(of: names) }

  mutating func facts() -> ConnectionFacts {
    let version: UInt8 = chance(60) ? 4 : 6
    func end(_ generator: inout RandomDocument) -> Endpoint {
      let words = generator.words
      let port = UInt16(generator.any(of: generator.ports))
      let low = generator.any(of: words)
      guard version == 6 else { return Endpoint(addressHigh: 0, addressLow: low, port: port) }
      return Endpoint(addressHigh: generator.any(of: words) << 32 | low, addressLow: low, port: port)
    }
    let tags = UInt32(number(0...2))
    var vlan = tags << 24
    if tags > 0 { vlan |= UInt32(number(0...2)) << 12 }
    if tags > 1 { vlan |= UInt32(number(0...2)) }
    return ConnectionFacts(
      guest: end(&self), network: end(&self), vlan: vlan, virtualNetwork: chance(50) ? 0 : UInt32(number(1...3)),
      ipVersion: version, opener: any(of: ConnectionEnd.allCases), dscp: UInt8(number(0...63)))
  }
}
