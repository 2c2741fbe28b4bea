// SPDX-License-Identifier: Apache-2.0

import Arena
import CongestionControl
import Packets
import TCPPolicy
import Wire

// What packets that pass say in the other end's name (FIG. 15, 1510): header fields are patched to what we have promised.

extension VTCPModule {
  /// Patches the header of a packet that passes from the sender of `data` to its receiver.
  func override(_ packet: Packet, _ data: SideIndex) {
    let patch = TCPHeaderPatch(packet.frame.head, packet.segment, checksumIsPartial: packet.frame.needsChecksum)
    let bridgesECN = store.flows[data.flow].bridgesECN
    if bridgesECN { bridgeECN(packet, patch, data) }
    if store[data].isOurs {
      if !bridgesECN { overrideReduction(packet, patch, data) }
      // Its number may lie beyond the receiver's window, ahead of data that wait here or were thrown away there: it gets the one that ours
      // have (danger 50).
      if packet.isBareAcknowledgment, packet.segment.sequenceNumber > store[data].emptyNumber {
        patch.setSequenceNumber(store[data].emptyNumber)
      }
    }
    let index = data.opposite
    let side = store[index]
    guard side.isOurs else {
      guard packet.segment.flags.contains(.ack) else { return }
      let hidesLosses = hidesLosses(index)
      if hidesReport || hidesLosses { filterSACK(packet, patch, side, hidesLosses: hidesLosses) }
      guard limitsSender(index) else {
        // The sender sees the receiver's.
        clampWindow(index, packet, patch)
        return
      }
      limitWindow(index, packet, patch)
      return
    }
    if packet.segment.flags.contains(.ack) {
      patch.setAcknowledgmentNumber(side.acknowledged)
      patch.setWindow(showWindow(index))
      let echoes = side.flags.contains(.echoesCongestion)
      patch.changeFlags(inserting: echoes ? .ece : [], removing: echoes ? [] : .ece)
      filterSACK(packet, patch, side, hidesLosses: false)
    }
    if packet.segment.options.kinds.contains(.timestamps) { patch.setTimestampEcho(side.recentTimestamp) }
    acknowledgmentWent(index)
  }

  /// CWR answers the receiver's echo of congestion, which we took for the sender (RFC 3168 §6.1.2): on new data, once.
  private func overrideReduction(_ packet: Packet, _ patch: TCPHeaderPatch, _ data: SideIndex) {
    guard store[data].flags.contains(.usesECN) else { return }
    let isNew = passed.side == data && packet.segment.payloadCount > 0
    let says = isNew && store[data].flags.contains(.windowReduced)
    patch.changeFlags(inserting: says ? .cwr : [], removing: says ? [] : .cwr)
    guard says else { return }
    passed.carriesReduction = true
    reductionWent(data, to: packet.dataEnd)
  }

  /// Blocks below the acknowledgment number would be read as duplicates (RFC 2883 §4). Of a side that is not ours, those are taken out that
  /// tell of what we have sent again, or will.
  private func filterSACK(_ packet: Packet, _ patch: TCPHeaderPatch, _ side: FlowSide, hidesLosses: Bool) {
    guard packet.segment.options.sackBlockCount > 0 else { return }
    var blocks = SACKBlocks()
    for place in 0..<Int(packet.segment.options.sackBlockCount) {
      let block = packet.segment.options.sackBlock(place, in: packet.frame.head)
      let isHidden = hidesReport && place == 0
      let isAbove = block.start >= side.acknowledged && block.end <= SequenceNumber.later(side.next, side.highest)
      if !isHidden, isAbove ? !hidesLosses : !side.isOurs { blocks.append(block) }
    }
    patch.setSACKBlocks(blocks)
  }

  /// The window field for packets to the sender of `index`, and notes that it was shown.
  func showWindow(_ index: SideIndex) -> UInt16 {
    let field = windowField(index)
    store[index].shownEdge = SequenceNumber.later(store[index].shownEdge, edge(index, shownBy: field))
    return field
  }

  /// The right edge that a window field stands for. What it says beyond the edge that was to be shown, since it counts in units,
  /// does not count: else each acknowledgment would add some, and a full buffer would never shut the window.
  func edge(_ index: SideIndex, shownBy field: UInt16) -> SequenceNumber {
    let side = store[index]
    return .earlier(side.acknowledged + Int(field) &<< Int(side.receiverScale), edgeToShow(index))
  }

  func windowField(_ index: SideIndex) -> UInt16 {
    let side = store[index]
    let scale = Int(side.receiverScale)
    let window = max(0, edgeToShow(index) - side.acknowledged)
    var field = window &>> scale
    // Rounded down, it would take back what was shown; rounded up, it grants less than a unit more, once (RFC 7323 §2.4).
    if field &<< scale < side.shownEdge - side.acknowledged { field &+= 1 }
    return UInt16(truncatingIfNeeded: min(field, 0xffff))
  }

  /// The right edge that the sender may be shown now: never left of what it was shown (I5).
  func edgeToShow(_ index: SideIndex) -> SequenceNumber {
    let side = store[index]
    var edge = side.receiverEdge
    // Who does not read now gets no more into our buffer than it has been promised (R39).
    let shaped = isShaping ? shapedRoom(index) : nil
    if let shaped, side.isOurs, !isWindowOurs(index), !side.isShut {
      // What waits for the rate lies in the buffer, also of a side that drains.
      var room = max(0, min(shaped, bufferSize(index), shareOfPool(index)) &- side.buffer.count)
      // As below: an empty buffer is not the reason for a window that is shut.
      if side.buffer.isEmpty { room = max(room, Int(side.segmentSize), 1 &<< Int(side.receiverScale)) }
      edge = .earlier(edge, .later(side.acknowledged, side.buffer.end) + room)
    }
    if isWindowOurs(index), !side.isShut {
      let room = max(0, min(shaped ?? .max, bufferSize(index), shareOfPool(index)) &- side.buffer.count)
      // Others have all of the pool, or the field can't say so little: then it is the receiver's window that counts, and data pass.
      let least = max(Int(side.segmentSize), 1 &<< Int(side.receiverScale))
      if !side.buffer.isEmpty || room >= least { edge = side.acknowledged + room }
    }
    // In what is sent for the other direction as well.
    if !side.isOurs, limitsSender(index) { edge = .earlier(edge, limitedEdge(index)) }
    if let clamp = windowClamp(index) { edge = SequenceNumber.earlier(edge, side.acknowledged + clamp) }
    // What the field can say.
    edge = SequenceNumber.earlier(edge, side.acknowledged + 0xffff &<< Int(side.receiverScale))
    return SequenceNumber.later(side.shownEdge, edge)
  }

  /// The sender is shown our buffer's room, not the receiver's window. At a rate always: what the receiver shows then is for its own round trip, and
  /// kernels make it no larger than what they read in one.
  func isWindowOurs(_ index: SideIndex) -> Bool {
    let configuration = policy(index).configuration
    let shown = index.isTransmit ? configuration.transmitWindow : configuration.receiveWindow
    return store[index].state == .accelerated && (shown == .buffer || isShaped(index.receiver))
  }

  /// The sender of `index` was told what it is owed.
  func acknowledgmentWent(_ index: SideIndex) {
    store[index].flags.remove(.acknowledgmentDue)
    store[index].unreported = 0
    let sending = store[index].sending
    guard !sending.isNone else { return }
    store.sendings[sending].acknowledgmentDeadline = nil
    store.sendings[sending].duplicate = SequenceRange(start: store[index].acknowledged, count: 0)
    guard store.sendings[sending].duplicatesDue > 0 else { return }
    store.sendings[sending].duplicatesDue &-= 1
    store[index].flags.insert(.acknowledgmentDue)
  }

  /// RFC 7323 §4.3, for what we acknowledge; and the newest time of the end in whose name we send.
  func noteTimestamps(_ index: SideIndex, _ packet: Packet) {
    guard packet.segment.options.kinds.contains(.timestamps) else { return }
    let value = packet.segment.options.timestampValue
    let side = store[index]
    if Int32(bitPattern: value &- side.newestTimestamp) > 0 || side.newestTimestamp == 0 {
      store[index].newestTimestamp = value
    }
    guard packet.segment.sequenceNumber <= side.acknowledged else { return }
    if Int32(bitPattern: value &- side.recentTimestamp) >= 0 || side.recentTimestamp == 0 {
      store[index].recentTimestamp = value
    }
  }
}
