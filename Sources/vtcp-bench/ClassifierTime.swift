// SPDX-License-Identifier: Apache-2.0

import CCounting
import Polling
import TCPPolicy
import Timekeeping
import Wire

/// What it takes to find the rule of a policy that is for a connection: the least of many repetitions. Rules are as those of FIG. 16,
/// each for a network and ports of its own; nearly all of them are looked at as far as the address.
enum ClassifierTime {
  private static let repetitions = 50
  private static let rounds = 100
  /// Different connections, so that no branch is learnt from one alone.
  private static let connections = 64

  static func run() throws {
    Log.output(Table.row("policy lookup", ["ns each"]))
    for rules in [1, 100, Classifier.ruleLimit] {
      let classifier = try classifier(rules)
      measure("\(rules) rules, the last is for it", classifier, facts(of: rules - 1))
      measure("\(rules) rules, none is for it", classifier, facts(of: rules))
    }
  }

  /// Prints what a lookup in 100 rules allocates and counts. True if it allocates nothing.
  static func isFree() throws -> Bool {
    let classifier = try classifier(100)
    let all = facts(of: 99)
    var sum = 0
    // Neither is given back while calls are counted.
    let counts = withExtendedLifetime((classifier, all)) {
      vtcp_counting_start()
      for connection in 0..<connections { sum &+= Int(classifier.classify(all[connection]).rule) }
      return vtcp_counting_stop()
    }
    guard sum == 99 * connections else { throw BenchError("the classifier found another rule") }
    let allocations = Double(counts.allocations + counts.frees) / Double(connections)
    let references = Double(counts.retains + counts.releases) / Double(connections)
    Log.output(Table.row("policy lookup: allocations, references", [allocations, references].map(Table.decimal)))
    return allocations == 0
  }

  private static func classifier(_ count: Int) throws -> Classifier {
    guard let configuration = PolicyName("config1") else { throw BenchError("config1 is no name") }
    return try Classifier(
      rules: (0..<UInt32(count)).map { number in
        var match = FlowMatch()
        match.vlan = .equal(2)
        match.transportProtocol = IPProtocol.tcp
        match.source = EndpointMatch(.ipv4(0x0a00_0000 | number << 8, length: 24))
        match.destination = EndpointMatch(.ipv4(0x0a80_0000, length: 9), firstPort: 80, lastPort: 443)
        return PolicyRule(match, configuration: configuration)
      })
  }

  /// Connections that the rule of a number is for.
  private static func facts(of rule: Int) -> [ConnectionFacts] {
    (0..<UInt16(connections)).map { number in
      ConnectionFacts(
        guest: Endpoint(
          addressHigh: 0, addressLow: 0x0a00_0000 | UInt64(rule) << 8 | UInt64(number), port: 10_000 + number),
        network: Endpoint(addressHigh: 0, addressLow: 0x0a80_0001, port: 100 + number), vlan: 1 << 24 | 2 << 12,
        ipVersion: 4, opener: .guest)
    }
  }

  /// The rules' numbers are added up, so that they have to be known.
  private static func measure(_ title: String, _ classifier: Classifier, _ facts: [ConnectionFacts]) {
    var least = Int64.max
    var sum = 0
    for _ in 0..<repetitions {
      let start = MonotonicClock.now()
      for _ in 0..<rounds {
        for connection in facts { sum &+= Int(classifier.classify(connection).rule) }
      }
      least = min(least, (MonotonicClock.now() - start).nanoseconds)
    }
    // Never so; but the compiler does not know.
    let note = sum == Int.min ? " ?" : ""
    Log.output(Table.row(title + note, [Table.decimal(Double(least) / Double(rounds * facts.count))]))
  }
}
