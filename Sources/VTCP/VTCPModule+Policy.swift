// SPDX-License-Identifier: Apache-2.0

import Arena
import LossRecovery
import Monitoring
public import TCPPolicy
public import Timekeeping

// A policy that changes while connections are there (R44, danger 57).

extension VTCPModule {
  /// Puts another policy in the place of the one in force, for new connections and for those that are followed.
  ///
  /// What was promised stays so: octets that are owned are delivered whatever the new mode, and no edge that a sender was shown is
  /// taken back. Connections that were let alone from their first packet on stay so. Takes the time to classify each connection once.
  /// - Parameters:
  ///   - policy: which configuration a connection gets; nil: all get `flow`.
  public func adopt(_ policy: Classifier?, flow configuration: FlowConfiguration, now: Instant) {
    var new = self.configuration
    new.flow = configuration
    let previous = policies
    policies = PolicyTable(policy, new)
    previous.deallocate()
    forEachFlow { flow in
      classify(flow)
      touch(flow)
    }
    monitor?.nameClasses(policies.classNames.map(\.description))
    forEachFlow { flow in
      for sender in [Leg.guest, .network] {
        let index = SideIndex(flow, sender: sender)
        let sending = store[index].sending
        if !sending.isNone { store.sendings[sending].recovery.changed(knobs: knobs(index)) }
        if self.policy(index).mode == .off { stopHolding(index) }
        settle(index, now)
      }
      schedule(flow, now)
    }
    weightInUse = weightOfAll()
  }

  /// What the policy in force says of a connection that is there.
  func classify(_ flow: RecordIndex) {
    let record = store.flows[flow]
    let found = policies.classify(record.key, opener: record.opener, dscp: record.dscp)
    store.flows[flow].configuration = found.configuration
    store.flows[flow].flowClass = found.flowClass
  }
}
