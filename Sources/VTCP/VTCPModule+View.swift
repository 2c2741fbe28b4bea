// SPDX-License-Identifier: Apache-2.0

import Arena
public import TCPPolicy

// What there is to see for whoever has the module in hand; for others see VTCPModule+Monitoring.swift.

extension VTCPModule {
  /// Connections that are followed.
  public var flowCount: Int { store.flows.inUse }
  /// Chunks of 4 KiB that hold payload, and how many there are.
  public var heldChunks: Int { store.chunks.inUse }
  public var chunkLimit: Int { store.chunks.limit }

  /// What the policy in force consists of.
  public var ruleCount: Int { policies.ruleCount }
  /// How fast the VM may send and receive by the policy in force.
  public var shaping: Shaping { policies.shaping }
  /// Connections that are followed at once, by the policy in force.
  public var flowLimit: Int { policies.flowLimit }
  /// And at the most, by any policy.
  public var flowRoom: Int { store.flows.limit }
  public var classCount: Int { policies.classNames.count }

  /// All connections that are followed, one for each call from `place` 1 on; nil behind the last place. An empty place gives
  /// no view.
  public func view(at place: Int) -> FlowView? {
    guard place > 0, place <= store.flows.highWater else { return nil }
    let flow = RecordIndex(rawValue: UInt32(truncatingIfNeeded: place))
    guard store.flows.isInUse(flow) else { return nil }
    return view(flow)
  }

  /// One more than the highest place of `view(at:)`.
  public var placesEnd: Int { store.flows.highWater + 1 }

  private func view(_ flow: RecordIndex) -> FlowView {
    let record = store.flows[flow]
    return FlowView(
      key: record.key, phase: record.phase, passReason: record.passReason, configuration: record.configuration,
      transmit: view(SideIndex(flow, sender: .guest)), receive: view(SideIndex(flow, sender: .network)),
      guestLeg: record.guestCounters, networkLeg: record.networkCounters, hasTimer: timers.deadline(of: flow) != nil,
      bridgesECN: record.bridgesECN, lastSeen: record.lastSeen.instant)
  }

  private func view(_ index: SideIndex) -> SideView {
    let side = store[index]
    return SideView(side, side.sending.isNone ? nil : store.sendings[side.sending], reason(index))
  }
}
