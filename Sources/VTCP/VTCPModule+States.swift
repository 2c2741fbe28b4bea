// SPDX-License-Identifier: Apache-2.0

import Arena
import Memory
import CongestionControl
import LossRecovery
import Packets
import TCPPolicy
import Timekeeping
import Wire

// When a side changes its state (docs/vtcp.md), and what it forgets then.

extension VTCPModule {
  /// Brings a side to the state that its numbers allow.
  func settle(_ index: SideIndex, _ now: Instant) {
    let side = store[index]
    if side.flags.contains(.finSeen), side.unacknowledged > side.finSequence { return finish(index) }
    switch side.state {
    case .passThrough:
      return
    case .limiting:
      if policy(index).mode != .limit || !mayLimit(index) { stopHolding(index) }
    case .holding:
      if policy(index).mode == .limit { return stopHolding(index) }
      guard isWorthwhile(index, now) else { return stopHolding(index) }
      if side.isContiguous, mayAccelerate(index, side) { accelerate(index, now) }
    case .accelerated:
      if side.isShut, policy(index).configuration.shutWindow == .stop { drain(index, .zeroWindow) }
      if isQuiescing || policy(index).mode != .early { drain(index, .policy) }
      if !isWorthwhile(index, now) { drain(index, .notWorthwhile) }
    case .draining:
      if side.isContiguous, mayAccelerate(index, side), isOver(side.reason, index), isWorthwhile(index, now) {
        return accelerate(index, now)
      }
      guard side.owned == 0, side.shownEdge <= side.receiverEdge, side.backlog == 0, !side.buffer.hasLater else {
        return
      }
      let mayHold =
        policy(index).mode.keepsCopies && side.isContiguous && !side.buffer.isEmpty && isWorthwhile(index, now)
      if mayHold { store[index].state = .holding } else { release(index) }
    }
  }

  /// All that is held from the receiver's place on, and a receiver that takes more; or one that has shut its window with data on their way,
  /// which the sender was shown a window for.
  private func mayAccelerate(_ index: SideIndex, _ side: FlowSide) -> Bool {
    guard policy(index).mode == .early, !isQuiescing, side.unacknowledged >= side.buffer.start else { return false }
    guard !senderRecovers(index) else { return false }
    return !side.isShut || policy(index).configuration.shutWindow == .keepPromise && !side.buffer.isEmpty
  }

  /// Whether what made the side drain is no longer so.
  private func isOver(_ reason: DrainReason, _ index: SideIndex) -> Bool {
    switch reason {
    case .none, .zeroWindow, .outOfOrder, .urgentData, .notWorthwhile: true
    // Half free: or else it would go to and fro with every segment.
    case .bufferFull: store[index].buffer.count <= bufferSize(index) / 2
    case .unknownOptions, .silentReceiver: store[index].owned == 0
    case .policy: !isQuiescing
    case .fragments: false
    }
  }

  private func accelerate(_ index: SideIndex, _ now: Instant) {
    counters.accelerations &+= 1
    store[index].state = .accelerated
    store[index].reason = .none
    store[index].flags.remove(.senderLimited)
    let sending = store[index].sending
    if store.sendings[sending].recovery.lost == 0 {
      // The sender had so much on its way, and nothing of it is missing.
      let inFlight = store.sendings[sending].recovery.inFlight
      store.sendings[sending].recovery.congestion.adopted(inFlight: inFlight)
    }
    let end = promisedEnd(index)
    guard end > store[index].acknowledged else { return }
    counters.earlyOctets &+= UInt64(end - store[index].acknowledged)
    noteEarly(index, to: end, now)
    store[index].acknowledged = end
    store[index].flags.insert(.acknowledgmentDue)
  }

  /// Takes no new ownership; what is owned stays so until the receiver has it.
  func drain(_ index: SideIndex, _ reason: DrainReason) {
    guard store[index].state == .accelerated else { return }
    counters.drains &+= 1
    store[index].state = .draining
    store[index].reason = reason
  }

  /// Nothing is owed: back to pass-through.
  private func release(_ index: SideIndex) {
    clear(index)
    store[index].state = .passThrough
    store[index].buffer.restart(at: store[index].expected, in: store.chunks)
  }

  /// The receiver has the sender's FIN: there is nothing more to do in this direction.
  private func finish(_ index: SideIndex) {
    guard store[index].state != .passThrough || !store[index].sending.isNone else { return }
    release(index)
  }

  /// Forgets the connection if both FINs are acknowledged.
  func forgetIfDone(_ flow: RecordIndex) -> Bool {
    for sender in [Leg.guest, .network] {
      let side = store[SideIndex(flow, sender: sender)]
      guard side.flags.contains(.finSeen), side.unacknowledged > side.finSequence else { return false }
    }
    forget(flow)
    return true
  }

  /// Gives back all that the connection holds, and the connection stays.
  func drop(_ flow: RecordIndex) {
    for sender in [Leg.guest, .network] {
      let side = SideIndex(flow, sender: sender)
      counters.lostOctets &+= UInt64(store[side].isOurs ? store[side].owned : 0)
      clear(side)
    }
    timers.cancel(flow)
    store.remove(flow, from: .toGuest)
    store.remove(flow, from: .toNetwork)
  }

  /// Ends the record of a connection. Its frames pass from now on.
  func forget(_ flow: RecordIndex) {
    publishEnd(flow)
    if flow == lastFlow { lastFlow = .none }
    identification.remove(flow, hash: identification.hash(store.flows[flow].key))
    keepOrder()
    drop(flow)
    store.remove(flow, from: .age)
    store.flows.free(flow)
  }

  /// A reset passes if it is the end's own, and ends the connection (dangers 7 to 9).
  func reset(_ flow: RecordIndex, _ packet: Packet, _ now: Instant) -> Verdict {
    let data = SideIndex(flow, sender: packet.leg)
    let side = store[data]
    guard store.flows[flow].phase == .established else {
      forget(flow)
      return .pass
    }
    let number = packet.segment.sequenceNumber
    guard number == side.expected || number == side.acknowledged else {
      // RFC 5961 §3: not exactly at the edge, the receiver will ask back. It knows better than we.
      counters.implausible &+= 1
      return .pass
    }
    if side.isOurs {
      // The receiver takes it only if it has everything before; what was not sent to it never will be.
      TCPHeaderPatch(packet.frame.head, packet.segment, checksumIsPartial: packet.frame.needsChecksum)
        .setSequenceNumber(side.emptyNumber)
    }
    override(packet, data)
    forget(flow)
    return .pass
  }
}
