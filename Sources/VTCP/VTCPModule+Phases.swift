// SPDX-License-Identifier: Apache-2.0

import Arena
import TCPPolicy
import Timekeeping
import Wire

// Knobs that change within a connection's life (R50, FIG. 4 and 20): before it is established, for so many octets, for so long.
//
// Each phase is a configuration with a number of its own, and the next phase has the next number: `Flow.configuration` says it all. What ends
// a phase follows from what is known of the connection anyway, so another policy, or another process, finds the phase that it is in.

extension VTCPModule {
  /// Looks whether the phase ends with the packet in hand, which came from the sender of `data` and has been taken. True if another one has
  /// begun: `settle` and `schedule` are to follow.
  @discardableResult
  func passPhases(_ data: SideIndex, hasData: Bool, _ now: Instant) -> Bool {
    // A policy that asks may come later.
    if hasData, place(store[data].expected, of: data) >= Self.mostOctets { store[data].flags.insert(.long) }
    return policies.hasPhases && goOn(data.flow, now)
  }

  /// The connection stands.
  func beginPhases(_ flow: RecordIndex, _ now: Instant) {
    guard policies.hasPhases else { return }
    goOn(flow, now)
    schedule(flow, now)
  }

  /// Looks whether the phase ends with the time.
  func timePhases(_ flow: RecordIndex, _ now: Instant) {
    guard policies.hasPhases, goOn(flow, now) else { return }
    for sender in [Leg.guest, .network] { settle(SideIndex(flow, sender: sender), now) }
  }

  /// When the phase ends, if it does so by time.
  func phaseDeadline(_ flow: RecordIndex) -> Instant? {
    guard policies.hasPhases, isTold(flow), store.flows[flow].phase == .established,
      store.flows[flow].passReason == .none,
      case .time(let time) = policies.end(store.flows[flow].configuration)
    else { return nil }
    return store.flows[flow].established + time
  }

  /// The first phase from `number` on that is not over. They only go forward: octets and time do.
  func phase(of flow: RecordIndex, from number: UInt8, _ now: Instant) -> UInt8 {
    guard policies.hasPhases, store.flows[flow].phase == .established else { return number }
    var number = number
    while let end = policies.end(number), isOver(end, flow, now) { number &+= 1 }
    return number
  }

  /// Puts the phase in force that the connection is in. What was promised stays so, as with another policy (`tell`).
  @discardableResult
  private func goOn(_ flow: RecordIndex, _ now: Instant) -> Bool {
    // Who was not told yet has numbers of another policy, and soon the right one.
    guard isTold(flow) else { return false }
    let before = store.flows[flow].configuration
    let number = phase(of: flow, from: before, now)
    guard number != before else { return false }
    let former = policy(of: flow)
    weightInUse &-= weight(of: flow)
    store.flows[flow].configuration = number
    weightInUse &+= weight(of: flow)
    for sender in [Leg.guest, .network] { changed(SideIndex(flow, sender: sender), from: former) }
    touch(flow)
    return true
  }

  private func isOver(_ end: PhaseEnd, _ flow: RecordIndex, _ now: Instant) -> Bool {
    switch end {
    case .established: true
    case .octets(let limit):
      max(octets(SideIndex(flow, sender: .guest)), octets(SideIndex(flow, sender: .network))) >= limit
    case .time(let time): now - store.flows[flow].established >= time
    }
  }

  /// What a side's sender has sent is told apart up to here.
  private static var mostOctets: UInt32 { 1 &<< 31 }

  /// Octets of the stream that the sender of the side has sent, as far as was seen: up to the highest place, whatever came again. A FIN counts
  /// as one; nothing follows it.
  private func octets(_ index: SideIndex) -> UInt32 {
    guard !store[index].flags.contains(.long) else { return Self.mostOctets }
    // What is begun anew was sent all the same.
    return place(.later(store[index].expected, store[index].highest), of: index)
  }

  /// Octets of the stream before a number of it, as long as no more were sent than can be told apart.
  private func place(_ number: SequenceNumber, of index: SideIndex) -> UInt32 {
    let flow = index.flow
    let first =
      index.isTransmit ? store.flows[flow].guestSYN.sequenceNumber : store.flows[flow].networkSYN.sequenceNumber
    return number.rawValue &- first.rawValue &- 1
  }
}
