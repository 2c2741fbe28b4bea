// SPDX-License-Identifier: Apache-2.0

import Arena
import Memory
import Packets
import TCPPolicy
import Wire

// Header fields that are changed because a rule says so, in any mode (R51): what the SYNs offer, and windows.

extension VTCPModule {
  // MARK: What SYNs say

  /// The SYN of a connection that is known, as the other end is to see it.
  func overrideSYN(_ packet: Packet, of flow: RecordIndex) -> Packet {
    var overrides = firstOverrides(of: flow)
    takenOut = []
    // What was offered under another policy is to be read in the answer.
    if store.flows[flow].bridgesECN || overrides.ecn == .clear && hasOfferedECN(packet, of: flow) {
      overrides.ecn = .keep
    }
    switch store.flows[flow].passReason {
    case .authenticated, .multipath, .malformed: return packet
    case .none, .accurateECN, .ipOptions, .policy: return overrideSYN(packet, overrides)
    }
  }

  /// The SYN that is answered here, or sent again, has left with what it says of ECN, under another policy: one end would speak it, and the
  /// other would not.
  private func hasOfferedECN(_ packet: Packet, of flow: RecordIndex) -> Bool {
    let record = store.flows[flow]
    let isAnswer = packet.segment.flags.contains(.ack)
    let opener = isAnswer ? packet.leg.opposite : packet.leg
    var syn = opener == .guest ? record.guestSYN : record.networkSYN
    if record.phase == .established { syn = record.successorLeg == opener ? record.successor : SYNFacts() }
    return syn.isKnown && syn.saysECN && (isAnswer || syn.sequenceNumber == packet.segment.sequenceNumber)
  }

  /// A SYN as the other end is to see it. What can't be read, is signed or is MPTCP's is left alone.
  func overrideSYN(_ packet: Packet, _ overrides: HeaderOverrides) -> Packet {
    takenOut = []
    guard !overrides.isEmpty,
      packet.segment.options.kinds.isDisjoint(with: [.malformed, .md5, .authentication, .multipath])
    else { return packet }
    let patch = TCPHeaderPatch(packet.frame.head, packet.segment, checksumIsPartial: packet.frame.needsChecksum)
    if overrides.maximumSegmentSize > 0 { patch.lowerMaximumSegmentSize(to: overrides.maximumSegmentSize) }
    if overrides.ecn == .clear { patch.changeFlags(inserting: [], removing: [.ae, .ece, .cwr]) }
    if overrides.windowClamp > 0 {
      // The window of a SYN is not scaled (RFC 7323 §2.2).
      let most = UInt16(clamping: max(overrides.windowClamp, UInt32(Self.leastClamp)))
      if packet.segment.window > most { patch.setWindow(most) }
    }
    // The answer to a SYN has what the SYN had. If it has more, the other end knows more than we (`acceptsStripped`).
    if !packet.segment.flags.contains(.ack) {
      patch.removeOptions(overrides.strippedOptions)
      takenOut = packet.segment.options.kinds.intersection(overrides.strippedOptions)
    }
    let seen = reread(packet)
    return overrides.addedOptions.contains(.maximumSegmentSize) ? addSegmentSize(seen, overrides) : seen
  }

  /// The packet as its header is now.
  func reread(_ packet: Packet) -> Packet {
    guard
      let segment = TCPSegment(
        parsing: packet.frame.head, layout: packet.layout, frameLength: packet.frame.length,
        isLarge: packet.frame.segmentSize != 0)
    else { return packet }
    return Packet(frame: packet.frame, layout: packet.layout, segment: segment, leg: packet.leg)
  }

  /// A SYN-ACK has an option that was taken out of the SYN: an earlier SYN must have got through with it, and the ends have agreed on what
  /// we don't know.
  func acceptsStripped(_ flow: RecordIndex, _ packet: Packet) -> Bool {
    let syn = packet.leg == .guest ? store.flows[flow].networkSYN : store.flows[flow].guestSYN
    return packet.segment.flags.contains(.ack) && !packet.segment.options.kinds.isDisjoint(with: syn.takenOut)
  }

  // MARK: Windows

  /// A window of less would be asked for by probes.
  private static var leastClamp: Int { 2 &* 536 }

  /// Octets beyond what is acknowledged that the sender may be shown; nil: any.
  func windowClamp(_ index: SideIndex) -> Int? {
    var clamp = Int(policy(index).configuration.overrides.windowClamp)
    // Before there is a buffer, its sender is not to be shown more than it will hold.
    if isShaping, policy(index).mode != .off, let room = shapedRoom(index) {
      clamp = clamp > 0 ? min(clamp, room) : room
    }
    guard clamp > 0 else { return nil }
    // Less than the field can say would be none at all.
    return max(clamp, Self.leastClamp, 1 &<< Int(store[index].receiverScale))
  }

  /// Shows the sender no more in `packet`, which comes from its receiver, than policy lets it see.
  func clampWindow(_ index: SideIndex, _ packet: Packet, _ patch: TCPHeaderPatch) {
    let side = store[index]
    guard windowClamp(index) != nil else { return noteShown(index, packet) }
    let number = packet.segment.acknowledgmentNumber
    let field = clampedField(index, at: number, packet.segment.window)
    if field != packet.segment.window { patch.setWindow(field) }
    // What it says beyond, since it counts in units, does not count.
    let shown = number + Int(field) &<< Int(side.receiverScale)
    store[index].shownEdge = .later(side.shownEdge, .earlier(shown, clampedEdge(index, at: number)))
  }

  /// The sender sees the window in `packet` as its receiver shows it. One from before may not show as much as the receiver has said since, to
  /// a sender that was shown less.
  func noteShown(_ index: SideIndex, _ packet: Packet) {
    let side = store[index]
    let shown = packet.segment.acknowledgmentNumber + Int(packet.segment.window) &<< Int(side.receiverScale)
    store[index].shownEdge = .later(side.shownEdge, .earlier(shown, side.receiverEdge))
  }

  private func clampedEdge(_ index: SideIndex, at number: SequenceNumber) -> SequenceNumber {
    .later(store[index].shownEdge, number + (windowClamp(index) ?? 0))
  }

  /// The receiver's window field beside an acknowledgment of `number`, as the sender is to see it: no edge that it was shown is taken back.
  func clampedField(_ index: SideIndex, at number: SequenceNumber, _ field: UInt16) -> UInt16 {
    guard windowClamp(index) != nil else { return field }
    let edge = clampedEdge(index, at: number)
    let scale = Int(store[index].receiverScale)
    // Down to a whole unit, as long as that takes back nothing.
    let shown = max(0, store[index].shownEdge - number)
    var most = max(0, edge - number) &>> scale
    if most &<< scale < shown { most &+= 1 }
    return UInt16(truncatingIfNeeded: min(most, Int(field)))
  }

  /// The receiver's window has changed, and not what the sender is shown of it: to the sender it would be a duplicate.
  func hidesOpening(_ index: SideIndex, _ packet: Packet, since before: FlowSide) -> Bool {
    let number = packet.segment.acknowledgmentNumber
    guard packet.isBareAcknowledgment, number == before.unacknowledged, before.outstanding > 0,
      packet.segment.window != before.lastWindow, packet.segment.options.sackBlockCount == 0,
      windowClamp(index) != nil, !limitsSender(index)
    else { return false }
    return clampedField(index, at: number, packet.segment.window) == clampedField(index, at: number, before.lastWindow)
  }
}
