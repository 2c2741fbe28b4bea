// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import TCPPolicy
import Testing
import Wire

@Suite("Policy: the classifier")
struct ClassifierTests {
  private func name(_ text: String) throws -> PolicyName { try #require(PolicyName(text)) }

  @Test(
    "Rules of any fields, wild or not, are for the connections that a naive matcher says, the first one first",
    arguments: 0..<60 as Range<UInt64>)
  func reference(seed: UInt64) throws {
    var policy = RandomPolicy(seed: seed)
    let wild = [95, 85, 60, 40][Int(seed % 4)]
    let configurations = try (0..<5).map { NamedConfiguration(name: try name("c\($0)"), configuration: .config1) }
    let classes = try (0..<3).map { try name("class-\($0)") }
    let rules = (0..<Int.random(in: 0...40, using: &policy.random)).map { number in
      PolicyRule(
        policy.match(wild: wild), configuration: configurations[number % 5].name, flowClass: classes[number % 3])
    }
    let classifier = try Classifier(rules: rules, configurations: configurations)
    for _ in 0..<400 {
      let facts = policy.facts()
      let result = classifier.classify(facts)
      guard let expected = NaiveMatcher.first(rules, facts) else {
        #expect(result == .fallback)
        continue
      }
      #expect(Int(result.rule) == expected)
      #expect(classifier.configurationName(result.configuration) == rules[expected].configuration)
      #expect(classifier.className(result.flowClass) == rules[expected].flowClass)
    }
  }

  @Test("A rule of one field is for the connections that have it, whatever else they are", arguments: 0..<13)
  func singleField(field: Int) throws {
    var policy = RandomPolicy(seed: UInt64(field))
    var hits = 0
    for _ in 0..<100 {
      let full = policy.match(wild: 0)
      var match = FlowMatch()
      switch field {
      case 0: match.vlan = full.vlan
      case 1: match.innerVLAN = full.innerVLAN
      case 2: match.virtualNetwork = full.virtualNetwork
      case 3: match.transportProtocol = full.transportProtocol
      case 12: match.dscp = full.dscp
      case 4: match.guest.prefix = full.guest.prefix
      case 5: match.network.prefix = full.network.prefix
      case 6: match.source.prefix = full.source.prefix
      case 7: match.destination.prefix = full.destination.prefix
      case 8: (match.guest.firstPort, match.guest.lastPort) = (full.guest.firstPort, full.guest.lastPort)
      case 9: (match.network.firstPort, match.network.lastPort) = (full.network.firstPort, full.network.lastPort)
      case 10: (match.source.firstPort, match.source.lastPort) = (full.source.firstPort, full.source.lastPort)
      default:
        (match.destination.firstPort, match.destination.lastPort) = (full.guest.firstPort, full.guest.lastPort)
      }
      let rules = [PolicyRule(match, configuration: try name("config1"))]
      let classifier = try Classifier(rules: rules)
      for _ in 0..<20 {
        let facts = policy.facts()
        let isHit = NaiveMatcher.first(rules, facts) != nil
        #expect((classifier.classify(facts).rule == 0) == isHit)
        hits += isHit ? 1 : 0
      }
    }
    // Both answers were met.
    #expect(hits > 0 && hits < 2000)
  }

  @Test("Without rules, and with numbers of no meaning, the fallback is what there is")
  func fallback() throws {
    var configuration = FlowConfiguration()
    configuration.mode = .snoop
    let classifier = try Classifier(fallback: configuration)
    #expect(classifier.classify(FlowTableTests.facts(sourcePort: 1)) == .fallback)
    #expect(classifier.classCount == 1 && classifier.configurationCount == 3)
    for number in [0, 3, 255] as [UInt8] {
      #expect(classifier.configuration(number) == configuration)
      #expect(classifier.configurationName(number) == .fallback && classifier.className(number) == .fallback)
    }
  }

  @Test("A policy may name the fallback, define config1 anew, and use one class in several rules")
  func names() throws {
    var mine = FlowConfiguration()
    mine.mode = .off
    let classifier = try Classifier(
      rules: [
        PolicyRule(FlowMatch(), configuration: .fallback, flowClass: try name("web")),
        PolicyRule(FlowMatch(), configuration: try name("config1"), flowClass: try name("web")),
      ],
      configurations: [NamedConfiguration(name: try name("config1"), configuration: mine)])
    #expect(classifier.classCount == 2 && classifier.configurationCount == 3)
    #expect(classifier.classify(FlowTableTests.facts(sourcePort: 1)).configuration == 0)
    #expect(classifier.configuration(1).mode == .off)
    #expect(classifier.configurationName(2).description == "config2")
  }

  @Test("1024 rules, 256 configurations and 256 classes are taken, and not one more")
  func limits() throws {
    let rule = PolicyRule(FlowMatch(), configuration: .fallback)
    _ = try Classifier(rules: Array(repeating: rule, count: 1024))
    #expect(throws: PolicyError.tooManyRules(1025, limit: 1024)) {
      try Classifier(rules: Array(repeating: rule, count: 1025))
    }
    let all = try (0..<254).map { NamedConfiguration(name: try name("c\($0)"), configuration: .config2) }
    #expect(try Classifier(configurations: Array(all.dropLast())).configurationCount == 256)
    #expect(throws: PolicyError.tooManyConfigurations(254, limit: 253)) { try Classifier(configurations: all) }
    let classes = try (0..<256).map {
      PolicyRule(FlowMatch(), configuration: .fallback, flowClass: try name("k\($0)"))
    }
    #expect(try Classifier(rules: Array(classes.dropLast())).classCount == 256)
    #expect(throws: PolicyError.tooManyClasses(limit: 256)) { try Classifier(rules: classes) }
  }

  @Test("What is wrong with a policy is told with its rule or its name")
  func errors() throws {
    let web = try name("web")
    #expect(throws: PolicyError.unknownConfiguration(web, rule: 1)) {
      try Classifier(rules: [
        PolicyRule(FlowMatch(), configuration: .fallback), PolicyRule(FlowMatch(), configuration: web),
      ])
    }
    let entry = NamedConfiguration(name: web, configuration: FlowConfiguration())
    #expect(throws: PolicyError.duplicateConfiguration(web)) { try Classifier(configurations: [entry, entry]) }
    #expect(throws: PolicyError.duplicateConfiguration(.fallback)) {
      try Classifier(configurations: [NamedConfiguration(name: .fallback, configuration: .config1)])
    }
    var bad = FlowConfiguration()
    bad.servingWeight = 0
    let error = ConfigurationError(field: .servingWeight, value: 0, allowed: 1...255)
    #expect(throws: PolicyError.invalidConfiguration(web, error)) {
      try Classifier(configurations: [NamedConfiguration(name: web, configuration: bad)])
    }
    #expect(throws: PolicyError.invalidConfiguration(.fallback, error)) { try Classifier(fallback: bad) }
  }
}
