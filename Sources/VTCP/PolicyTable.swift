// SPDX-License-Identifier: Apache-2.0

import Memory
import TCPPolicy
import Timekeeping

/// The policy in force (FIG. 16): which configuration a new connection gets, and what each of them says.
struct PolicyTable {
  private let classifier: Classifier?
  /// By the number that `Flow.configuration` has. Outside the classifier's arrays, which are counted references.
  private let policies: RecordBuffer<FlowPolicy>
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
    // Presets that no rule gives are there as well.
    isOff = classifier?.isOff ?? (policies[0].mode == .off)
  }

  func deallocate() {
    policies.deallocate()
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

  private func place(_ number: UInt8) -> Int { Int(number) < policies.capacity ? Int(number) : 0 }
}
