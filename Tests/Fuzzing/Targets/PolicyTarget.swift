// SPDX-License-Identifier: Apache-2.0

import Memory
import TCPPolicy
import Wire

/// Input: the text of a policy (docs/policy.md); behind an octet 0 connections that it is asked about: guest and network (18 each: address,
/// port), VLANs and virtual network (4 each), protocol, version, opener, code point (1 each).
///
/// Holds: read at once and line by line, as the program gets it, it says the same; mistakes have places in the text and are told in order, in a line of
/// printable octets each; a policy without mistakes has configurations and phases within their limits, and what it says of a connection is
/// something that it has.
enum PolicyTarget {
  private static let longestMessage = 400

  static func run(_ input: consuming InputReader) throws(Finding) {
    var octets: [UInt8] = []
    while !input.isAtEnd {
      let octet = input.byte()
      if octet == 0 { break }
      octets.append(octet)
    }
    let lines = octets.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let (whole, inLines) = (whole(octets), inLines(lines))
    switch (whole, inLines) {
    case (.failure(let one), .failure(let other)):
      try Finding.require(one == other, "\(one.errors) and line by line \(other.errors)")
      try check(one.errors, lines)
    case (.success(let one), .success(let other)):
      try check(one)
      try Finding.require(
        one.ruleCount == other.ruleCount && one.configurationCount == other.configurationCount
          && one.classCount == other.classCount && one.shaping == other.shaping, "another policy line by line")
      for _ in 0..<16 where !input.isAtEnd { try ask(one, other, facts(&input)) }
    default: throw Finding("\(whole), line by line \(inLines)")
    }
  }

  private static func whole(_ octets: [UInt8]) -> Result<Classifier, PolicyTextErrors> {
    let text = String(decoding: octets, as: UTF8.self)
    do throws(PolicyTextErrors) {
      return .success(try Classifier(parsing: text, fallback: FlowConfiguration()))
    } catch {
      return .failure(error)
    }
  }

  private static func inLines(_ lines: [ArraySlice<UInt8>]) -> Result<Classifier, PolicyTextErrors> {
    var parser = PolicyTextParser(fallback: FlowConfiguration())
    for line in lines { parser.read(line: Substring(decoding: line, as: UTF8.self)) }
    do throws(PolicyTextErrors) {
      return .success(try parser.finish())
    } catch {
      return .failure(error)
    }
  }

  private static func check(_ errors: [PolicyTextError], _ lines: [ArraySlice<UInt8>]) throws(Finding) {
    try Finding.require((1...PolicyTextErrors.most).contains(errors.count), "\(errors.count) mistakes")
    var before = (line: 0, column: 0)
    for error in errors {
      try Finding.require((error.line, error.column) >= before, "\(error) is told behind \(before)")
      before = (error.line, error.column)
      try Finding.require((1...max(lines.count, 1)).contains(error.line), "\(error), of \(lines.count) lines")
      let length = error.line <= lines.count ? String(decoding: lines[error.line - 1], as: UTF8.self).utf8.count : 0
      try Finding.require((1...max(length, 0) + 1).contains(error.column), "\(error), of \(length) octets")
      let isPlain = error.message.utf8.allSatisfy { (0x20..<0x7f).contains($0) }
      try Finding.require(
        isPlain && (1...longestMessage).contains(error.message.utf8.count), "a message of \(Array(error.message.utf8))")
    }
  }

  private static func check(_ policy: Classifier) throws(Finding) {
    try Finding.require(
      policy.ruleCount <= Classifier.ruleLimit && policy.configurationCount <= Classifier.configurationLimit
        && policy.classCount <= Classifier.classLimit, "more than there may be")
    for number in 0..<policy.configurationCount {
      let place = UInt8(truncatingIfNeeded: number)
      do throws(ConfigurationError) { _ = try policy.configuration(place).validated() } catch {
        throw Finding("configuration \(number): \(error)")
      }
      // A phase has another one behind it.
      try Finding.require(
        policy.end(place) == nil || number + 1 < policy.configurationCount, "phase \(number) has no next")
    }
  }

  private static func ask(_ policy: Classifier, _ other: Classifier, _ facts: ConnectionFacts) throws(Finding) {
    let found = policy.classify(facts)
    try Finding.require(found == other.classify(facts), "\(facts): another answer line by line")
    try Finding.require(
      Int(found.configuration) < policy.configurationCount && Int(found.flowClass) < policy.classCount
        && (found.rule == Classification.noRule || Int(found.rule) < policy.ruleCount), "\(facts): \(found)")
    try Finding.require(!policy.isOff || policy.isOff(found.configuration), "\(facts): \(found) is not off")
  }

  static func facts(_ input: inout InputReader) -> ConnectionFacts {
    func end(_ input: inout InputReader) -> Endpoint {
      Endpoint(addressHigh: input.u64(), addressLow: input.u64(), port: input.u16())
    }
    let (guest, network) = (end(&input), end(&input))
    return ConnectionFacts(
      guest: guest, network: network, vlan: input.u32(), virtualNetwork: input.u32(), transportProtocol: input.byte(),
      ipVersion: input.byte() & 1 == 0 ? 4 : 6, opener: input.byte() & 1 == 0 ? .guest : .network,
      dscp: input.byte() & 63)
  }
}
