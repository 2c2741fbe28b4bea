// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import TCPPolicy
import Testing
import Wire

/// FIG. 16, literally.
@Suite("Policy: the flow table of FIG. 16")
struct FlowTableTests {
  static let source = Endpoint(addressHigh: 0, addressLow: 0x0a01_0101, port: 10_000)
  static let destination = Endpoint(addressHigh: 0, addressLow: 0x0a02_0202, port: 80)
  static let vlan2: UInt32 = 1 << 24 | 2 << 12
  static let network33902: UInt32 = 33_903

  /// A row of the table.
  static func row(sourcePort: UInt16, _ configuration: String) throws -> PolicyRule {
    var match = FlowMatch()
    match.vlan = .equal(2)
    match.virtualNetwork = .equal(33_902)
    match.transportProtocol = IPProtocol.tcp
    match.source = EndpointMatch(.ipv4(0x0a01_0101), port: sourcePort)
    match.destination = EndpointMatch(.ipv4(0x0a02_0202), port: 80)
    return PolicyRule(match, configuration: try #require(PolicyName(configuration)))
  }

  /// The guest opens.
  static func facts(sourcePort: UInt16) -> ConnectionFacts {
    ConnectionFacts(
      guest: Endpoint(addressHigh: 0, addressLow: source.addressLow, port: sourcePort), network: destination,
      vlan: vlan2, virtualNetwork: network33902, ipVersion: 4, opener: .guest)
  }

  private func classifier() throws -> Classifier {
    try Classifier(rules: [
      try Self.row(sourcePort: 10_000, "config1"), try Self.row(sourcePort: 20_000, "config2"),
    ])
  }

  private func name(_ facts: ConnectionFacts) throws -> String {
    let classifier = try classifier()
    return classifier.configurationName(classifier.classify(facts).configuration).description
  }

  @Test("Row 1690 gives config1 and row 1691 gives config2, whichever side the opener is on")
  func rows() throws {
    for (port, configuration) in [(UInt16(10_000), "config1"), (20_000, "config2")] {
      let facts = Self.facts(sourcePort: port)
      #expect(try name(facts) == configuration)
      var turned = facts
      (turned.guest, turned.network, turned.opener) = (facts.network, facts.guest, .network)
      #expect(try name(turned) == configuration)
      // The server opening to the client is another matter, though its packets look alike.
      turned.opener = .guest
      #expect(try name(turned) == "default")
    }
  }

  @Test("A connection that differs in any one field of a row is another one")
  func otherFields() throws {
    let row = Self.facts(sourcePort: 10_000)
    var others = Array(repeating: row, count: 10)
    others[0].vlan = 1 << 24 | 3 << 12
    others[1].vlan = 0
    others[2].vlan = 2 << 24 | 3 << 12 | 2
    others[3].virtualNetwork = 33_904
    others[4].virtualNetwork = 0
    others[5].transportProtocol = IPProtocol.udp
    others[6].guest.addressLow += 1
    others[7].network.addressLow += 1
    others[8].guest.port += 1
    others[9].network.port += 1
    for other in others { #expect(try name(other) == "default") }
    // Behind the outer tag 2 there may be another.
    var inner = row
    inner.vlan = 2 << 24 | 2 << 12 | 7
    #expect(try name(inner) == "config1")
  }

  @Test("One 5-tuple on several VLANs and virtual networks is as many connections, each with its rule")
  func sameTuple() throws {
    var rules: [PolicyRule] = []
    var expected: [(ConnectionFacts, String)] = []
    for vlan: UInt32? in [nil, 0, 1, 2, 4094] {
      for network: UInt32? in [nil, 0, 33_902, 0xff_ffff] {
        var rule = try Self.row(sourcePort: 10_000, rules.count.isMultiple(of: 2) ? "config1" : "config2")
        rule.match.vlan = vlan.map { .equal($0) } ?? .absent
        rule.match.virtualNetwork = network.map { .equal($0) } ?? .absent
        rule.flowClass = try #require(PolicyName("class-\(rules.count)"))
        rules.append(rule)
        var facts = Self.facts(sourcePort: 10_000)
        facts.vlan = vlan.map { 1 << 24 | $0 << 12 } ?? 0
        facts.virtualNetwork = network.map { $0 + 1 } ?? 0
        expected.append((facts, rule.flowClass.description))
      }
    }
    let classifier = try Classifier(rules: rules)
    for (number, (facts, name)) in expected.enumerated() {
      let result = classifier.classify(facts)
      #expect(Int(result.rule) == number)
      #expect(classifier.className(result.flowClass).description == name)
    }
  }

  @Test("The presets are those of the patent, and valid")
  func presets() throws {
    let classifier = try classifier()
    for (number, size, algorithm) in [
      (UInt8(1), UInt32(100_000), CongestionAlgorithm.newReno), (2, 300_000, .cubic),
    ] {
      let configuration = try classifier.configuration(number).validated()
      #expect(classifier.configurationName(number).description == "config\(number)")
      #expect(configuration.transmitBufferSize == size && configuration.receiveBufferSize == size)
      #expect(configuration.congestionAlgorithm == algorithm)
      #expect(configuration.duplicateAcknowledgmentThreshold == 2)
      #expect(configuration.initialCongestionWindow == 10)
      #expect(configuration.slowStartThreshold == 10_000)
      let knobs = configuration.congestionKnobs
      #expect(knobs.algorithm == algorithm && knobs.duplicateThreshold == 2)
      #expect(knobs.initialWindow == 10 && knobs.slowStartThreshold == 10_000)
    }
    #expect(classifier.configuration(0) == FlowConfiguration())
  }
}
