// SPDX-License-Identifier: Apache-2.0

public import VhostUser
import Wire

/// What of a NIC travels with a guest that migrates: docs/device-state.md has the octets.
extension VirtualNIC {
  public func saveState() -> DeviceState {
    DeviceState(sections: [NICState(self).section, CounterState(ends).section, SteeringState(self).section])
  }

  public func refusal(of state: DeviceState) -> String? {
    let known: Set<UInt16> = [NICState.type, CounterState.type, SteeringState.type]
    if let strange = state.sections.first(where: { $0.mustBeUnderstood && !known.contains($0.type) }) {
      return "its section of type \(strange.type) is not known and must be"
    }
    guard let section = state[NICState.type], let nic = NICState(section) else { return "it is not of a NIC" }
    if let section = state[CounterState.type], CounterState(section) == nil { return "its counters are malformed" }
    if let section = state[SteeringState.type], SteeringState(section) == nil { return "its flows are malformed" }
    if let own = configuration.macAddress, let other = nic.macAddress, own != other {
      return "it is of the NIC \(other), this one is \(own)"
    }
    if let limit = configuration.mtu, nic.mtu > limit {
      return "its MTU is up to \(nic.mtu), this NIC's up to \(limit)"
    }
    return nil
  }

  public func restore(_ state: DeviceState) {
    if let section = state[CounterState.type] { CounterState(section)?.apply(to: ends) }
    guard let section = state[SteeringState.type], let flows = SteeringState(section) else { return }
    flowSeed = flows.seed
    let hash = FlowHash(seed: flows.seed)
    transmitPath.flowHash = hash
    for path in receivePaths { path.flowHash = hash }
    // A pair that is not here is not worth remembering.
    steering.goOn(with: flows.learned.filter { 2 * $0.pair < ends.count }, now: lastTurn)
  }
}
