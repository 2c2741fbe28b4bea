// SPDX-License-Identifier: Apache-2.0

import Wire

// Lines that say which connections get which configuration.

extension PolicyTextParser {
  private static let keys =
    ["vlan", "innerVLAN", "virtualNetwork", "protocol", "opener", "dscp", "configuration", "class"]
    + EndpointRole.allCases.flatMap { ["\($0)", "\($0)Port"] }

  mutating func readRule(_ first: PolicyWord, _ words: ArraySlice<PolicyWord>) {
    var seen: Set<String> = []
    var match = FlowMatch()
    var configuration: PolicyName?
    var flowClass = PolicyName.fallback
    let count = errors.count
    for word in words {
      guard let (key, value) = pair(word, &seen) else { continue }
      switch key.text {
      case "configuration":
        guard let name = name(value) else { continue }
        guard isKnown(name) else {
          fail(value.error("there is no configuration \(value.shown) above\(meant(value, orPhases: true))"))
          continue
        }
        configuration = name
      case "class": flowClass = name(value) ?? flowClass
      default: set(&match, key, value)
      }
    }
    // What was wrong may be just that.
    guard errors.count == count else { return }
    guard let configuration else {
      return fail(first.error("a rule says which configuration: rule KEY=VALUE ... configuration=NAME"))
    }
    do throws(MatchError) {
      _ = try match.checked()
    } catch {
      return fail(first.error("\(error)"))
    }
    guard rules.count < Classifier.ruleLimit else {
      return fail(first.error("\(PolicyError.tooManyRules(rules.count + 1, limit: Classifier.ruleLimit))"))
    }
    rules.append((PolicyRule(match, configuration: configuration, flowClass: flowClass), first))
  }

  private func isKnown(_ name: PolicyName) -> Bool {
    isConfiguration(name) || phases.contains { $0.phases.name == name }
  }

  func isConfiguration(_ name: PolicyName) -> Bool {
    name == .fallback || configurations.contains { $0.name == name }
      || FlowConfiguration.presets.contains { $0.name == name }
  }

  private mutating func set(_ match: inout FlowMatch, _ key: PolicyWord, _ value: PolicyWord) {
    switch key.text {
    case "vlan": identifier(&match.vlan, key, value)
    case "innerVLAN": identifier(&match.innerVLAN, key, value)
    case "virtualNetwork": identifier(&match.virtualNetwork, key, value)
    case "protocol":
      if value.text == "tcp" {
        match.transportProtocol = IPProtocol.tcp
      } else if let number = number(key, value, 0...255, or: "tcp") {
        match.transportProtocol = UInt8(number)
      }
    case "dscp": if let number = number(key, value, 0...63) { match.dscp = UInt8(number) }
    case "opener":
      guard let opener = ConnectionEnd.allCases.first(where: { "\($0)" == value.text }) else {
        return fail(value.error("opener is guest or network, not \(value.shown)"))
      }
      match.opener = opener
    default:
      for role in EndpointRole.allCases {
        if key.text == "\(role)" { return prefix(&match, role, value) }
        if key.text == "\(role)Port" { return ports(&match, role, key, value) }
      }
      let meant = NearestWord.of(key.text, in: Self.keys).map { "; did you mean \($0)?" } ?? ""
      fail(key.error("a rule can't ask for \(key.shown)\(meant)"))
    }
  }

  private mutating func identifier(_ match: inout IdentifierMatch, _ key: PolicyWord, _ value: PolicyWord) {
    if value.text == "none" {
      match = .absent
    } else if let number = number(key, value, 0...Int(UInt32.max), or: "none") {
      match = .equal(UInt32(number))
    }
  }

  private mutating func prefix(_ match: inout FlowMatch, _ role: EndpointRole, _ value: PolicyWord) {
    guard let prefix = AddressParser.prefix(value.text) else {
      return fail(value.error("\(value.shown) is no prefix: 10.0.0.0/8, fd00::/8, or an address"))
    }
    match[role].prefix = prefix
  }

  private mutating func ports(
    _ match: inout FlowMatch, _ role: EndpointRole, _ key: PolicyWord, _ value: PolicyWord
  ) {
    let parts = value.text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    let numbers = parts.map { AddressParser.decimal($0, digits: 5).flatMap { UInt16(exactly: $0) } }
    guard let first = numbers[0], let last = numbers[numbers.count - 1] else {
      return fail(value.error("\(key.text) is a port, or a range as 5201-5210, not \(value.shown)"))
    }
    match[role].firstPort = first
    match[role].lastPort = last
  }

  private mutating func number(
    _ key: PolicyWord, _ value: PolicyWord, _ range: ClosedRange<Int>, or word: String? = nil
  ) -> Int? {
    if let number = AddressParser.decimal(value.text, digits: 10), range.contains(number) { return number }
    let other = word.map { " or \($0)" } ?? ""
    fail(value.error("\(key.text) is \(range.lowerBound) to \(range.upperBound)\(other), not \(value.shown)"))
    return nil
  }
}
