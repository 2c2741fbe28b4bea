// SPDX-License-Identifier: Apache-2.0

import Arena
import CongestionControl
import LossRecovery
import Packets
import TCPPolicy
import Wire

// Mode `snoop` repairs losses that the sender never hears of, so it would not slow down for them. It is made to by the window that it is
// shown: no more than our congestion window lets go (as AC/DC does, He et al., SIGCOMM 2016). Acknowledgments stay the receiver's.

extension VTCPModule {
  /// Whether acknowledgments that pass to the sender get a window of ours: all that is in flight is known, and congestion control rules it.
  func limitsSender(_ index: SideIndex) -> Bool {
    let side = store[index]
    guard side.state == .holding, !side.sending.isNone, policy(index).mode == .snoop else { return false }
    return side.unacknowledged >= side.buffer.start
      && (store.sendings[side.sending].recovery.congestion.algorithm != .none || isShaped(index.receiver))
  }

  /// Whether the sender need not hear what is lost: we hold it, and the sender can't send more than our window lets it, or is not meant to be held
  /// back at all. What was lost before it came here is behind the first that is held, and is the sender's.
  func hidesLosses(_ index: SideIndex) -> Bool {
    guard recovers(index), !store[index].isOurs, store[index].unacknowledged >= store[index].buffer.start else {
      return false
    }
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
    noteLimit(index)
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
  private func limitedEdge(_ index: SideIndex) -> SequenceNumber {
    let side = store[index]
    let recovery = store.sendings[side.sending].recovery
    // What is lost goes first.
    let free = side.next + max(0, min(recovery.allowance, LossRecovery.longestFlight) - recovery.lost)
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
