// SPDX-License-Identifier: Apache-2.0

import Arena
import TCPPolicy
import Timekeeping
import Wire

// The short way of a packet whose connection is only watched, as most are where acceleration does not pay (docs/decisions/0016): it leaves
// of the connection what the long way would (`learn`, `take`, `settle`, `override`, `schedule`), by a quarter of the code. Between two
// calls of the system, which leave nothing of ours in the processor's caches, it is the code that costs.

extension VTCPModule {
  /// Notes what an ordinary packet says of a connection of which nothing is held, nor will be for this packet. False, and nothing has
  /// changed, if it is not so.
  func watch(_ data: SideIndex, _ packet: Packet, _ now: Instant) -> Bool {
    guard usesShortWay, !isShaping, packet.segment.flags.intersection([.ack, .syn, .fin, .rst]) == .ack else {
      return false
    }
    let flow = data.flow
    guard store.flows[flow].phase == .established, store.flows[flow].passReason == .none, !store.flows[flow].bridgesECN
    else { return false }
    guard isIdle(data), isIdle(data.opposite), policy(of: flow).configuration.overrides.windowClamp == 0
    else { return false }
    // The packet may begin a phase that clamps its window.
    guard !policies.hasPhases || !policies.hasClamps else { return false }
    let hasData = packet.segment.payloadCount > 0
    guard !hasData || !isWorthwhile(data, now) else { return false }
    noteTimestamps(data, packet)
    watchAcknowledgment(data.opposite, packet, now)
    if hasData { watchData(data, packet, now) }
    if passPhases(data, hasData: hasData, now) {
      for index in [data, data.opposite] { settle(index, now) }
      schedule(flow, now)
    }
    return true
  }

  /// Nothing is held of the side, and nothing is to be done for it.
  private func isIdle(_ index: SideIndex) -> Bool {
    store[index].state == .passThrough && store[index].sending.isNone && store[index].buffer.isBare
      && store[index].flags.isDisjoint(with: [.finSeen, .acknowledgmentDue, .probeDue])
  }

  /// `learn`, where nothing is held.
  private func watchAcknowledgment(_ index: SideIndex, _ packet: Packet, _ now: Instant) {
    let number = packet.segment.acknowledgmentNumber
    if number > store[index].next {
      // The receiver has more than we saw pass. It is right.
      store[index].next = number
      store[index].expected = SequenceNumber.later(store[index].expected, number)
    }
    let known = store[index].unacknowledged
    guard number >= known else {
      if number < known - Self.farthest { counters.implausible &+= 1 }
      return noteShown(index, packet)
    }
    store[index].lastHeard = CoarseInstant(now)
    store[index].timeouts = 0
    heedDuplicateReport(index, packet)
    if number > known {
      store[index].unacknowledged = number
      store[index].acknowledged = SequenceNumber.later(store[index].acknowledged, number)
      store[index].highest = SequenceNumber.later(store[index].highest, number)
      store[index].flags.insert(.dataAcknowledged)
      if number > store[index].buffer.start { store[index].buffer = PacketBuffer(at: number) }
      timePassed(index, now)
    } else if packet.isBareAcknowledgment, store[index].next > known, packet.segment.window == store[index].lastWindow {
      count(index.receiver, index.flow) { $0.duplicateAcknowledgments &+= 1 }
    }
    noteWindow(index, packet)
    // It is the receiver's, and passes.
    store[index].shownEdge = SequenceNumber.later(store[index].shownEdge, store[index].receiverEdge)
  }

  /// `take`, where nothing is held.
  private func watchData(_ index: SideIndex, _ packet: Packet, _ now: Instant) {
    count(index.sender, index.flow) { $0.segments &+= 1 }
    guard isPlausible(packet, store[index]) else {
      counters.implausible &+= 1
      return
    }
    if packet.start > store[index].expected { count(index.sender, index.flow) { $0.outOfOrder &+= 1 } }
    noteFollowed(index, packet, now)
    store[index].next = SequenceNumber.later(store[index].next, packet.segment.end)
  }
}
