// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import LossRecovery
import Memory
import TCPPolicy
import Timekeeping

/// The policy in force (FIG. 16): which configuration a new connection gets, and what each of them says.
struct PolicyTable {
  private let classifier: Classifier?
  /// What each of them says, in this policy's half.
  private let room: FlowPolicyRoom
  private let turn: UInt8
  /// When the phase of that number is over, and the next number applies (R50).
  private let ends: RecordBuffer<PhaseEnd?>
  /// There are such phases.
  let hasPhases: Bool
  /// Some of them clamp windows.
  let hasClamps: Bool
  /// There is nothing to do for anybody.
  let isOff: Bool
  /// How fast all may go together.
  let shaping: Shaping
  /// Connections that are followed at once.
  let flowLimit: Int

  /// - Parameters:
  ///   - classifier: nil: all connections get `configuration.flow`.
  ///   - turn: which half of `room` is its own.
  init(_ classifier: Classifier?, _ configuration: ModuleConfiguration, in room: FlowPolicyRoom, turn: UInt8) {
    self.classifier = classifier
    self.room = room
    self.turn = turn
    let all =
      classifier.map { policy in
        (0..<policy.configurationCount).map { policy.configuration(UInt8(truncatingIfNeeded: $0)) }
      } ?? [configuration.flow]
    room.fill(turn, with: all.map { FlowPolicy($0, reservedRecords: configuration.sendingLimit) })
    ends = RecordBuffer(capacity: all.count, repeating: nil)
    for number in all.indices { ends[number] = classifier?.end(UInt8(truncatingIfNeeded: number)) }
    hasPhases = all.indices.contains { classifier?.end(UInt8(truncatingIfNeeded: $0)) != nil }
    hasClamps = all.contains { $0.overrides.windowClamp > 0 }
    shaping = classifier?.shaping ?? configuration.shaping
    flowLimit = min(classifier?.flowLimit ?? .max, configuration.flowLimit)
    // Presets that no rule gives are there as well.
    isOff =
      classifier?.isOff ?? (configuration.flow.effectiveMode == .off && configuration.flow.overrides.isEmptyWhenOff)
  }

  func deallocate() {
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

  /// When the phase of that number is over, and the next number applies; nil: with the connection.
  func end(_ number: UInt8) -> PhaseEnd? { Int(number) < ends.capacity ? ends[Int(number)] : nil }

  /// What is changed in headers of a connection of that number; of one that `classify` cannot have given, as of all others of no rule.
  func overrides(_ number: UInt8) -> HeaderOverrides { room[turn, number].configuration.overrides }

  /// Whether a guest's connection of that number is to have ECN in any case, and somebody to answer the marks.
  func offersECN(_ number: UInt8) -> Bool {
    let policy = room[turn, number]
    return policy.configuration.overrides.ecn == .offer && policy.mode != .off
      && policy.transmitKnobs.congestion.algorithm != .none
  }

  /// The first of the phases that the number is one of.
  func first(_ number: UInt8) -> UInt8 {
    var number = number
    while number > 0, end(number &- 1) != nil { number &-= 1 }
    return number
  }

  /// Nothing is ever to be done for a connection of that number: it is `off` and changes no header, and so is every phase that follows it.
  func isOff(_ number: UInt8) -> Bool {
    var number = number
    while room[turn, number].mode == .off, overrides(number).isEmptyWhenOff {
      guard end(number) != nil else { return true }
      number &+= 1
    }
    return false
  }
}
