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
    // Nobody goes by what is in that half any more.
    let table = PolicyTable(policy, new, in: flowPolicies, turn: policyTurn ^ 1)
    policyChange = PolicyChange(from: policies, to: table)
    policies = table
    policyTurn ^= 1
    shape(now)
    monitor?.setFlowLimit(flowLimit)
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
      guard store.flows.isInUse(flow), !isTold(flow) else { continue }
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

  /// What policy says of a connection. Always inlined, so that who wants a field has no copy of all of it.
  @inline(__always)
  func policy(of flow: RecordIndex) -> FlowPolicy {
    flowPolicies[store.flows[flow].policyTurn, store.flows[flow].configuration]
  }

  /// What was changed in headers of a connection at its beginning.
  func firstOverrides(of flow: RecordIndex) -> HeaderOverrides {
    let number = store.flows[flow].configuration
    guard !isTold(flow), let former = policyChange?.former else { return policies.overrides(policies.first(number)) }
    return former.overrides(former.first(number))
  }

  /// Whether its SYNs were to offer ECN in the guest's place.
  func firstOffersECN(of flow: RecordIndex) -> Bool {
    let number = store.flows[flow].configuration
    guard !isTold(flow), let former = policyChange?.former else { return policies.offersECN(policies.first(number)) }
    return former.offersECN(former.first(number))
  }

  /// The number that the class of a connection has in the policy in force.
  func flowClass(of flow: RecordIndex) -> UInt8 {
    let number = store.flows[flow].flowClass
    guard !isTold(flow), let policyChange else { return number }
    return policyChange.newClass(number)
  }

  /// Whether the connection goes by the policy in force; else still by the one before.
  func isTold(_ flow: RecordIndex) -> Bool { store.flows[flow].policyTurn == policyTurn }

  /// Finds out what the policy in force says of a connection that is there: of its phases, the one that it is in.
  func classify(_ flow: RecordIndex, _ now: Instant) {
    let record = store.flows[flow]
    let found = policies.classify(record.key, opener: record.opener, dscp: record.dscp)
    assign(found, to: flow)
    store.flows[flow].configuration = phase(of: flow, from: found.configuration, now)
  }

  /// The connection is treated so, by the policy in force.
  func assign(_ found: Classification, to flow: RecordIndex) {
    store.flows[flow].configuration = found.configuration
    store.flows[flow].flowClass = found.flowClass
    store.flows[flow].policyTurn = policyTurn
  }

  private func tell(_ flow: RecordIndex, _ now: Instant) {
    // Of the other half, which stays as it is until all are told.
    let former = policy(of: flow)
    weightInUse &-= weight(of: flow)
    classify(flow, now)
    weightInUse &+= weight(of: flow)
    touch(flow)
    for sender in [Leg.guest, .network] {
      let index = SideIndex(flow, sender: sender)
      changed(index, from: former)
      settle(index, now)
    }
    schedule(flow, now)
  }

  /// Another configuration may apply to the side. Its number is set; `settle` is to follow. A recovery that is under way goes on if what
  /// rules it is the same: ended each time that somebody else's policy changes, it would begin anew, and the window be reduced again, for
  /// losses of the same round trip.
  func changed(_ index: SideIndex, from former: FlowPolicy) {
    let sending = store[index].sending
    let knobs = knobs(index)
    if !sending.isNone, knobs != (index.isTransmit ? former.transmitKnobs : former.receiveKnobs) {
      store.sendings[sending].recovery.changed(knobs: knobs)
    }
    if policy(index).mode == .off { stopHolding(index) }
  }
}
