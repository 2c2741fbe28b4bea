// SPDX-License-Identifier: Apache-2.0

import Arena
import LossRecovery
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
      store.flows[flow].configuration = policies.classify(store.flows[flow].key, opener: store.flows[flow].opener)
    }
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
}
