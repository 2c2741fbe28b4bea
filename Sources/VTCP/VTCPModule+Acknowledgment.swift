// SPDX-License-Identifier: Apache-2.0

import Arena
import CongestionControl
import LossRecovery
import Packets
import TCPPolicy
import Timekeeping
import Wire

// What a receiver's acknowledgment teaches (R26, R32, R34, R39, R40).

extension VTCPModule {
  /// Learns from the acknowledgment in `packet`, which came from the receiver of `index`.
  ///
  /// - Returns: whether the sender is to see it, even if it holds nothing but the acknowledgment.
  func learn(_ index: SideIndex, _ packet: Packet, _ now: Instant) -> Bool {
    let number = packet.segment.acknowledgmentNumber
    if number > store[index].next, !store[index].isOurs || store[index].flags.contains(.fragmented) {
      if store[index].state == .limiting { goOn(index, at: number, now) } else { resume(index, at: number) }
    }
    if number > store[index].next, number <= store[index].highest { goOn(index, at: number, now) }
    let before = store[index]
    guard number <= before.next, number >= before.unacknowledged - Self.farthest else {
      // Of what was not sent yet, or long ago: nothing follows from it (RFC 5961 §5, danger 46).
      counters.implausible &+= 1
      return !before.isOurs
    }
    guard number >= before.unacknowledged else { return !before.isOurs }
    store[index].lastHeard = CoarseInstant(now)
    store[index].timeouts = 0
    heedDuplicateReport(index, packet)
    let roundTrip = recover(index, packet, before, now)
    if number > before.unacknowledged {
      advance(index, to: number)
      timeAcknowledgment(index, since: before, sent: roundTrip, now)
    } else if isDuplicate(packet, of: before) {
      count(index.receiver, index.flow) { $0.duplicateAcknowledgments &+= 1 }
      isDuplicateInHand = packet.segment.options.sackBlockCount == 0
    }
    learnWindow(index, packet, since: before, now)
    return isNews(index, packet, since: before)
  }

  /// The receiver has more than we saw pass. It is right, if nothing is owed or if fragments pass, and we go on from there.
  private func resume(_ index: SideIndex, at number: SequenceNumber) {
    stopHolding(index)
    store[index].next = number
    store[index].expected = SequenceNumber.later(store[index].expected, number)
  }

  /// The receiver has what lay behind a gap, and what we took for not sent yet.
  private func goOn(_ index: SideIndex, at number: SequenceNumber, _ now: Instant) {
    noteSent(index, SequenceRange(start: store[index].next, end: number), now)
    store[index].next = number
    store[index].expected = SequenceNumber.later(store[index].expected, number)
  }

  /// Half the numbers that can be told from each other.
  static var farthest: Int { 1 &<< 30 }

  /// What the acknowledgment means for what is in flight.
  ///
  /// - Returns: the round trip, if it tells.
  private func recover(_ index: SideIndex, _ packet: Packet, _ before: FlowSide, _ now: Instant) -> Interval? {
    let isMarked = takesEcho(index, packet)
    guard !before.sending.isNone else { return nil }
    var blocks = SACKBlocks()
    for place in 0..<Int(packet.segment.options.sackBlockCount) {
      blocks.append(packet.segment.options.sackBlock(place, in: packet.frame.head))
    }
    let result = store.sendings[before.sending].recovery.acknowledged(
      to: packet.segment.acknowledgmentNumber, blocks: blocks,
      isBare: packet.isBareAcknowledgment && packet.segment.window == before.lastWindow, hasUnsent: hasUnsent(before),
      isMarked: isMarked, isStarved: !hasWaiting(before) || awaitsTurn(index), in: store.transmissions,
      knobs: knobs(index), now: now)
    if let sample = result.roundTrip { store.sendings[before.sending].lastRoundTrip = sample }
    if result.beganRecovery { noteLossy(index, now) }
    noteAnswer(index, packet.segment.acknowledgmentNumber, result, now)
    if result.sawDSACK, before.flags.contains(.resent) {
      let resent = store.sendings[before.sending].resent
      hidesReport = blocks[0].start >= resent.start && blocks[0].end <= resent.end
    }
    guard isMarked || before.isOurs && before.flags.contains(.usesECN) else { return result.roundTrip }
    var isReduced = result.beganRecovery
    if isMarked {
      let isNew = store.sendings[before.sending].recovery.congestionExperienced(now: now)
      isReduced = isReduced || isNew || knobs(index).congestion.algorithm == .none
    }
    // RFC 3168 §6.1.2: the receiver goes on telling until it hears of it.
    // Of a sender that is only ruled it is the sender that says so, if it knows of ECN.
    // With no algorithm nothing was reduced here; where ECN is the module's alone, the receiver is to be still all the same.
    if isReduced, store.flows[index.flow].bridgesECN || before.isOurs && rulesCongestion(index) {
      store[index].flags.insert(.windowReduced)
    }
    return result.roundTrip
  }

  /// Whether there is something new that the receiver's window would take.
  func hasUnsent(_ side: FlowSide) -> Bool { hasWaiting(side) && side.next < side.receiverEdge }

  /// Whether there is something that is ours to send and was never sent.
  private func hasWaiting(_ side: FlowSide) -> Bool { side.isOurs && (side.backlog > 0 || side.finWaits) }

  private func advance(_ index: SideIndex, to number: SequenceNumber) {
    store[index].unacknowledged = number
    store[index].acknowledged = SequenceNumber.later(store[index].acknowledged, number)
    store[index].highest = SequenceNumber.later(store[index].highest, number)
    store[index].flags.insert(.dataAcknowledged)
    if number > store[index].buffer.end, store[index].buffer.hasLater {
      // It has what is missing here, from before: there is no gap any more.
      takeLater(index, from: number)
    }
    if number > store[index].buffer.start {
      let held = SequenceNumber.earlier(number, store[index].buffer.end)
      store.beginChange(index)
      store[index].buffer.release(to: held, in: store.chunks)
      store.endChange()
      // Past all that is held: what follows was never ours.
      if number > held, store[index].buffer.isEmpty { store[index].buffer.restart(at: number, in: store.chunks) }
    }
    let sending = store[index].sending
    guard !sending.isNone else { return }
    if store.sendings[sending].senderRecovers, number >= store.sendings[sending].senderPoint {
      store.sendings[sending].senderRecovers = false
    }
    guard store[index].flags.contains(.resent) else { return }
    // Reports of duplicates come soon or not at all.
    if number - store.sendings[sending].resent.end > 1 &<< 24 { store[index].flags.remove(.resent) }
  }

  /// RFC 5681 §2, as far as it can be told from between.
  private func isDuplicate(_ packet: Packet, of side: FlowSide) -> Bool {
    packet.isBareAcknowledgment && side.outstanding > 0 && packet.segment.window == side.lastWindow
  }

  /// In mode `snoop`: the receiver misses what we hold, and waits for us; or has twice what we sent again.
  private func isLocal(_ index: SideIndex, _ packet: Packet, since before: FlowSide) -> Bool {
    let side = store[index]
    guard before.state == .holding, side.state == .holding, recovers(index),
      packet.segment.acknowledgmentNumber == before.unacknowledged
    else { return false }
    if limitsSender(index) {
      // What the receiver's window does beyond ours is no news either: it would be a duplicate to the sender.
      guard packet.isBareAcknowledgment, before.outstanding > 0, !opensLimit(index, packet, since: before) else {
        return false
      }
    } else {
      guard isDuplicate(packet, of: before) else { return false }
    }
    // A sender that repairs its losses itself is to hear of them, whatever arrived twice.
    if hidesReport, hidesLosses(index) || !hasBlockAbove(side.unacknowledged, packet) { return true }
    return hidesLosses(index) && side.receiverEdge > side.unacknowledged
      && side.unacknowledged >= side.buffer.start && side.unacknowledged < side.buffer.end
  }

  private func learnWindow(_ index: SideIndex, _ packet: Packet, since before: FlowSide, _ now: Instant) {
    noteWindow(index, packet)
    let edge = store[index].receiverEdge
    if edge > store[index].next { windowOpened(index) }
    if before.receiverEdge <= before.unacknowledged, edge > store[index].unacknowledged { resendAfterShut(index, now) }
  }

  /// The window that the receiver's packet shows.
  func noteWindow(_ index: SideIndex, _ packet: Packet) {
    let window = packet.segment.window
    if window == 0, store[index].lastWindow != 0 { count(index.receiver, index.flow) { $0.zeroWindows &+= 1 } }
    store[index].lastWindow = window
    store[index].receiverEdge =
      packet.segment.acknowledgmentNumber + Int(window) &<< Int(store[index].receiverScale)
  }

  /// Whether the receiver's packet says something that the sender does not know from us already.
  private func isNews(_ index: SideIndex, _ packet: Packet, since before: FlowSide) -> Bool {
    let side = store[index]
    guard before.isOurs else {
      return !isLocal(index, packet, since: before) && !hidesOpening(index, packet, since: before)
        && !hidesUpdate(index, packet, since: before)
    }
    // What was to be told soon, too: the receiver's word is as good as ours.
    if side.acknowledged != before.acknowledged || side.unreported > 0 { return true }
    // The answer to a probe, or to data that passed: nobody else answers.
    if side.unacknowledged == before.unacknowledged, before.owned == 0, !hidesReport { return true }
    if packet.segment.options.sackBlockCount > 0, hasBlockAbove(side.acknowledged, packet) { return true }
    return opensWindow(index)
  }

  /// There is nothing to ask any more.
  private func windowOpened(_ index: SideIndex) {
    store[index].flags.remove(.probeDue)
    let sending = store[index].sending
    guard !sending.isNone, store.sendings[sending].probes > 0 else { return }
    store.sendings[sending].probes = 0
    store.sendings[sending].probeDeadline = nil
  }

  /// What reached the receiver while its window was shut is gone; it has answered, so it need not be waited for.
  private func resendAfterShut(_ index: SideIndex, _ now: Instant) {
    let sending = store[index].sending
    // While copies are only held the sender would do it, at its next timeout; but we may be about to take over.
    guard !sending.isNone else { return }
    store.sendings[sending].recovery.reopened(in: store.transmissions, now: now)
  }

  private func hasBlockAbove(_ number: SequenceNumber, _ packet: Packet) -> Bool {
    for block in 0..<Int(packet.segment.options.sackBlockCount)
    where packet.segment.options.sackBlock(block, in: packet.frame.head).end > number { return true }
    return false
  }

  /// Whether the window that the sender may see grew by enough to tell it.
  func opensWindow(_ index: SideIndex) -> Bool {
    let side = store[index]
    guard side.isOurs else { return false }
    // As far as the field can say it, in units of its scale.
    let growth = edge(index, shownBy: windowField(index)) - side.shownEdge
    let visible = max(0, side.shownEdge - side.acknowledged)
    // RFC 9293 §3.8.6.2.2: not for a little of our buffer; the receiver has seen to it itself that its window is not silly.
    let enough = isWindowOurs(index) ? min(2 &* Int(side.segmentSize), bufferSize(index) / 2) : 1
    // Nor for a little beside what the sender sees anyway: it is told with the next acknowledgment.
    return growth > 0 && growth >= enough && growth >= visible / 2
  }
}
