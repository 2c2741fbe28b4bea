// SPDX-License-Identifier: Apache-2.0

import Arena
import CongestionControl
import LossRecovery
import Packets
import TCPPolicy
import Timekeeping
import Wire

// Mode `snoop` repairs losses that the sender never hears of, so it would not slow down for them. It is made to by the window that it is
// shown: no more than our congestion window lets go (as AC/DC does, He et al., SIGCOMM 2016). Acknowledgments stay the receiver's.
//
// Mode `limit` is that and nothing else (docs/decisions/0022): the sender hears of its losses and repairs them, and what it sends is only
// followed, to know our window.

extension VTCPModule {
  /// Whether acknowledgments that pass to the sender get a window of ours: all that is in flight is known, and congestion control rules it.
  func limitsSender(_ index: SideIndex) -> Bool {
    let side = store[index]
    switch side.state {
    case .passThrough, .accelerated, .draining: return false
    case .holding: guard policy(index).mode == .snoop else { return false }
    case .limiting: break
    }
    return !side.sending.isNone && side.unacknowledged >= side.buffer.start
      && (store.sendings[side.sending].recovery.congestion.algorithm != .none || isShaped(index.receiver))
  }

  /// Whether the sender need not hear what is lost: we hold it, and the sender can't send more than our window lets it, or is not meant to be held
  /// back at all. What was lost before it came here is behind the first that is held, and is the sender's.
  func hidesLosses(_ index: SideIndex) -> Bool {
    guard recovers(index), !store[index].isOurs, !senderRecovers(index),
      store[index].unacknowledged >= store[index].buffer.start
    else { return false }
    return store[index].flags.contains(.senderLimited)
      || store.sendings[store[index].sending].recovery.congestion.algorithm == .none
  }

  /// Shows the sender no more in `packet`, which comes from its receiver, than our window lets it send.
  func limitWindow(_ index: SideIndex, _ packet: Packet, _ patch: TCPHeaderPatch) {
    let field = limitedField(index, packet)
    if field != packet.segment.window { patch.setWindow(field) }
    let shown = packet.segment.acknowledgmentNumber + Int(field) &<< Int(store[index].receiverScale)
    // What it says beyond, since it counts in units, does not count.
    store[index].shownEdge = .later(store[index].shownEdge, .earlier(shown, limitedEdge(index)))
    if store[index].state == .limiting { adoptFlight(index) } else { noteLimit(index) }
  }

  /// Whether an acknowledgment without news but for the window tells the sender enough to be shown.
  func opensLimit(_ index: SideIndex, _ packet: Packet, since before: FlowSide) -> Bool {
    let field = limitedField(index, packet)
    // It is the receiver that says how much may come: it said less before, or says less now.
    if field == packet.segment.window || before.lastWindow < field { return packet.segment.window != before.lastWindow }
    let side = store[index]
    let growth = limitedEdge(index) - side.shownEdge
    let visible = max(0, side.shownEdge - side.next)
    guard growth >= max(Int(side.segmentSize), visible / 2) else { return false }
    // As far as the field can say it: else it would be a duplicate.
    return units(side.shownEdge - packet.segment.acknowledgmentNumber, side) < Int(field)
  }

  /// The right edge that our congestion window allows now: never left of what the sender was shown (I5).
  func limitedEdge(_ index: SideIndex) -> SequenceNumber {
    let side = store[index]
    // With another window it would be none any more, and a sender without SACK goes by duplicates (RFC 5681, section 2).
    if isDuplicateInHand, side.state == .limiting { return side.shownEdge }
    let recovery = store.sendings[side.sending].recovery
    // What is lost goes first. A sender that has taken more than that has no right to it.
    let room = min(recovery.allowance, LossRecovery.longestFlight) - recovery.lost
    let free = room > 0 ? side.next + room : side.unacknowledged
    // A window of less than a segment would be asked for by probes.
    var edge = SequenceNumber.later(free, side.unacknowledged + Int(side.segmentSize))
    if let most = shapedFlight(index) { edge = SequenceNumber.earlier(edge, side.unacknowledged + most) }
    if let clamp = windowClamp(index) { edge = SequenceNumber.earlier(edge, side.unacknowledged + clamp) }
    return .later(side.shownEdge, .earlier(edge, side.receiverEdge))
  }

  private func limitedField(_ index: SideIndex, _ packet: Packet) -> UInt16 {
    let field = units(limitedEdge(index) - packet.segment.acknowledgmentNumber, store[index])
    return UInt16(truncatingIfNeeded: min(field, Int(packet.segment.window)))
  }

  /// Rounded up: rounded down it might take back what was shown, or be no window at all.
  func units(_ octets: Int, _ side: FlowSide) -> Int {
    let scale = Int(side.receiverScale)
    return (max(0, octets) + (1 &<< scale) - 1) &>> scale
  }

  // MARK: Nothing but that

  /// Whether mode `limit` has anything to do for the side: it rules the guest as a sender. The network's end has a congestion control of its
  /// own, and is ruled as well where policy asks for ours towards the guest (R37).
  func mayLimit(_ index: SideIndex) -> Bool {
    index.isTransmit || policy(index).configuration.receiveRecovery == .full
  }

  /// Mode `limit`: data pass. From those on that come next in order they are followed.
  func rule(_ index: SideIndex, _ packet: Packet, _ side: FlowSide, _ now: Instant) {
    guard side.state == .passThrough else {
      // It has taken more than it was shown. It is not policed: the packet passes, and counts as on its way.
      let isBeyond = packet.dataEnd - side.shownEdge > 1 &<< Int(side.receiverScale)
      if isBeyond, limitsSender(index) { counters.implausible &+= 1 }
      return
    }
    guard packet.segment.payloadCount > 0, packet.start == side.expected, mayLimit(index),
      side.flags.isDisjoint(with: [.fragmented, .finSeen]), beginSending(index, at: packet.start, now)
    else { return }
    limitingCount &+= 1
    store[index].state = .limiting
    store[index].buffer.restart(at: packet.start, in: store.chunks)
    // Nothing is on its way that is not known.
    if side.outstanding == 0 { store[index].flags.insert(.senderLimited) }
  }

  /// A sender that had begun before it was followed had so much on its way, and nothing of it is missing: our window begins there.
  private func adoptFlight(_ index: SideIndex) {
    guard !store[index].flags.contains(.senderLimited) else { return }
    store[index].flags.insert(.senderLimited)
    let sending = store[index].sending
    let recovery = store.sendings[sending].recovery
    guard recovery.lost == 0, recovery.congestion.phase == .open else { return }
    store.sendings[sending].recovery.congestion.adopted(inFlight: recovery.inFlight)
  }

  /// Mode `limit`: the receiver's window has changed and nothing else, and our field does not say so: to the sender it would be a duplicate.
  func hidesUpdate(_ index: SideIndex, _ packet: Packet, since before: FlowSide) -> Bool {
    guard store[index].state == .limiting, packet.isBareAcknowledgment, before.outstanding > 0,
      packet.segment.acknowledgmentNumber == before.unacknowledged, packet.segment.window != before.lastWindow,
      packet.segment.options.sackBlockCount == 0, limitsSender(index)
    else { return false }
    return !opensLimit(index, packet, since: before)
  }

  // MARK: What was shown before

  /// A window that was shown before we knew the connection well enough may let the sender send more than ours for a while.
  private func noteLimit(_ index: SideIndex) {
    let side = store[index]
    guard !side.flags.contains(.senderLimited) else { return }
    let recovery = store.sendings[side.sending].recovery
    guard recovery.lost == 0, recovery.congestion.phase == .open else { return }
    if side.shownEdge - side.next <= recovery.congestion.window {
      store[index].flags.insert(.senderLimited)
    } else {
      // It is its own window that has carried so much, and lost nothing.
      store.sendings[side.sending].recovery.congestion.adopted(inFlight: recovery.inFlight)
    }
  }
}
