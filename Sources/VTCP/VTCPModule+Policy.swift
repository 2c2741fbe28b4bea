// SPDX-License-Identifier: Apache-2.0

import Arena
import LossRecovery
import Monitoring
public import TCPPolicy
public import Timekeeping

// What policy says of a connection, and a policy that changes while connections are there (R44, R46, danger 57).
//
// Connections are told one after the other, a few in each turn of the datapath, since a policy may have a thousand rules and there may be
// a million connections. Meanwhile two policies count: by a bit of each connection that says of which one its configuration is.

extension VTCPModule {
  /// Places of connections that one turn looks at, whether there is one or not.
  private static var placesATurn: Int { 1024 }
  /// Rules that one turn compares with connections, more or less; to be told of a policy without rules costs as much as so many.
  private static var rulesATurn: Int { 16_384 }
  private static var rulesOfTelling: Int { 256 }

  /// Whether connections are still to be told of the policy in force.
  public var isAdopting: Bool { policyChange != nil }

  /// Puts another policy in the place of the one in force, for new connections at once, for those that are followed by and by: see
  /// `continueAdopting`. If one was still to be told to all, that is done first.
  ///
  /// What was promised stays so: octets that are owned are delivered whatever the new mode, and no edge that a sender was shown is
  /// taken back. Connections that were let alone from their first packet on stay so.
  /// - Parameters:
  ///   - policy: which configuration a connection gets; nil: all get `flow`.
  public func beginAdopting(_ policy: Classifier?, flow configuration: FlowConfiguration, now: Instant) {
    while continueAdopting(now: now) {}
    var new = self.configuration
    new.flow = configuration
    let table = PolicyTable(policy, new)
    policyChange = PolicyChange(from: policies, to: table)
    policies = table
    policyTurn ^= 1
    monitor?.nameClasses(table.classNames.map(\.description))
  }

  /// Tells some more connections of the policy in force. True if there may be others still.
  @discardableResult
  public func continueAdopting(now: Instant) -> Bool {
    var rules = Self.rulesATurn
    var places = Self.placesATurn
    while let place = policyChange?.next {
      guard Int(place) <= store.flows.highWater else {
        policyChange?.deallocate()
        policyChange = nil
        return false
      }
      guard rules > 0, places > 0 else { return true }
      places &-= 1
      policyChange?.next = place &+ 1
      let flow = RecordIndex(rawValue: place)
      guard store.flows.isInUse(flow), store.flows[flow].policyTurn != policyTurn else { continue }
      rules &-= Self.rulesOfTelling &+ policies.ruleCount
      tell(flow, now)
    }
    return false
  }

  /// Both at once. Takes the time to classify each connection.
  public func adopt(_ policy: Classifier?, flow configuration: FlowConfiguration, now: Instant) {
    beginAdopting(policy, flow: configuration, now: now)
    while continueAdopting(now: now) {}
  }

  /// What policy says of a connection.
  func policy(of flow: RecordIndex) -> FlowPolicy {
    let number = store.flows[flow].configuration
    guard store.flows[flow].policyTurn != policyTurn, let policyChange else { return policies[number] }
    return policyChange.former[number]
  }

  /// `FlowConfiguration.leastRoundTrip`, which is asked for each packet: without a copy of all the rest.
  func leastRoundTrip(of flow: RecordIndex) -> Interval {
    let number = store.flows[flow].configuration
    guard store.flows[flow].policyTurn != policyTurn, let policyChange else { return policies.leastRoundTrip(number) }
    return policyChange.former.leastRoundTrip(number)
  }

  /// The number that the class of a connection has in the policy in force.
  func flowClass(of flow: RecordIndex) -> UInt8 {
    let number = store.flows[flow].flowClass
    guard store.flows[flow].policyTurn != policyTurn, let policyChange else { return number }
    return policyChange.newClass(number)
  }

  /// Finds out what the policy in force says of a connection that is there.
  func classify(_ flow: RecordIndex) {
    let record = store.flows[flow]
    assign(policies.classify(record.key, opener: record.opener, dscp: record.dscp), to: flow)
  }

  /// The connection is treated so, by the policy in force.
  func assign(_ found: Classification, to flow: RecordIndex) {
    store.flows[flow].configuration = found.configuration
    store.flows[flow].flowClass = found.flowClass
    store.flows[flow].policyTurn = policyTurn
  }

  private func tell(_ flow: RecordIndex, _ now: Instant) {
    let sides = (SideIndex(flow, sender: .guest), SideIndex(flow, sender: .network))
    weightInUse &-= weightInUse(of: sides.0) &+ weightInUse(of: sides.1)
    classify(flow)
    weightInUse &+= weightInUse(of: sides.0) &+ weightInUse(of: sides.1)
    touch(flow)
    follow(sides.0, now)
    follow(sides.1, now)
    schedule(flow, now)
  }

  /// The part of a side in `weightInUse`.
  private func weightInUse(of index: SideIndex) -> Int { store[index].sending.isNone ? 0 : weight(index) }

  /// The side does what its configuration says now.
  private func follow(_ index: SideIndex, _ now: Instant) {
    let sending = store[index].sending
    if !sending.isNone { store.sendings[sending].recovery.changed(knobs: knobs(index)) }
    if policy(index).mode == .off { stopHolding(index) }
    settle(index, now)
  }
}
