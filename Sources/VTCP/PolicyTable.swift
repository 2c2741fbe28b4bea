// SPDX-License-Identifier: Apache-2.0

import Memory
import TCPPolicy
import Timekeeping

/// The policy in force (FIG. 16): which configuration a new connection gets, and what each of them says.
struct PolicyTable {
  private let classifier: Classifier?
  /// By the number that `Flow.configuration` has. Outside the classifier's arrays, which are counted references.
  private let policies: RecordBuffer<FlowPolicy>
  /// When the phase of that number is over, and the next number applies (R50).
  private let ends: RecordBuffer<PhaseEnd?>
  /// There are such phases.
  let hasPhases: Bool
  /// There is nothing to do for anybody.
  let isOff: Bool

  /// - Parameter classifier: nil: all connections get `configuration.flow`.
  init(_ classifier: Classifier?, _ configuration: ModuleConfiguration) {
    self.classifier = classifier
    let all =
      classifier.map { policy in
        (0..<policy.configurationCount).map { policy.configuration(UInt8(truncatingIfNeeded: $0)) }
      } ?? [configuration.flow]
    let limit = configuration.sendingLimit
    policies = RecordBuffer(capacity: all.count, repeating: FlowPolicy(all[0], reservedRecords: limit))
    for number in all.indices { policies[number] = FlowPolicy(all[number], reservedRecords: limit) }
    ends = RecordBuffer(capacity: all.count, repeating: nil)
    for number in all.indices { ends[number] = classifier?.end(UInt8(truncatingIfNeeded: number)) }
    hasPhases = all.indices.contains { classifier?.end(UInt8(truncatingIfNeeded: $0)) != nil }
    // Presets that no rule gives are there as well.
    isOff = classifier?.isOff ?? (policies[0].mode == .off && configuration.flow.overrides.isEmpty)
  }

  func deallocate() {
    policies.deallocate()
    ends.deallocate()
  }

  /// Rules that a connection is compared with, at the most.
  var ruleCount: Int { classifier?.ruleCount ?? 0 }

  /// The names of the classes, by number.
  var classNames: [PolicyName] {
    guard let classifier else { return [.fallback] }
    return (0..<classifier.classCount).map { classifier.className(UInt8(truncatingIfNeeded: $0)) }
  }

  /// Configuration and class for a connection whose first packet, of that code point, came from `opener`.
  func classify(_ key: FlowKey, opener: Leg, dscp: UInt8) -> Classification {
    guard let classifier else { return .fallback }
    let facts = ConnectionFacts(
      guest: key.guest, network: key.network, vlan: key.vlan, virtualNetwork: key.virtualNetwork,
      transportProtocol: key.transportProtocol, ipVersion: key.ipVersion, opener: opener == .guest ? .guest : .network,
      dscp: dscp)
    return classifier.classify(facts)
  }

  /// Of a number that `classify` cannot have given, the fallback.
  subscript(number: UInt8) -> FlowPolicy { policies[place(number)] }

  /// `FlowConfiguration.leastRoundTrip`, which is asked for each packet: without a copy of all the rest.
  func leastRoundTrip(_ number: UInt8) -> Interval { policies[place(number)].configuration.leastRoundTrip }

  /// When the phase of that number is over, and the next number applies; nil: with the connection.
  func end(_ number: UInt8) -> PhaseEnd? { ends[place(number)] }

  /// What is changed in headers of a connection of that number.
  func overrides(_ number: UInt8) -> HeaderOverrides { policies[place(number)].configuration.overrides }

  /// The first of the phases that the number is one of.
  func first(_ number: UInt8) -> UInt8 {
    var number = number
    while number > 0, end(number &- 1) != nil { number &-= 1 }
    return number
  }

  /// Nothing is ever to be done for a connection of that number: it is `off` and changes no header, and so is every phase that follows it.
  func isOff(_ number: UInt8) -> Bool {
    var number = number
    while self[number].mode == .off, overrides(number).isEmpty {
      guard end(number) != nil else { return true }
      number &+= 1
    }
    return false
  }

  private func place(_ number: UInt8) -> Int { Int(number) < policies.capacity ? Int(number) : 0 }
}
