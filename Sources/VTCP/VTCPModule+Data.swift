// SPDX-License-Identifier: Apache-2.0

import Arena
import LossRecovery
import Memory
import Packets
import TCPPolicy
import Timekeeping
import Wire

// Data on their way (FIG. 9): kept before they pass, and acknowledged if they are kept.

extension VTCPModule {
  /// Takes the data of `packet`, which come from the sender of `index`.
  func take(_ index: SideIndex, _ packet: Packet, _ now: Instant) -> Verdict {
    guard packet.segment.sequenceLength > 0 else {
      answerQuestion(index, packet, now)
      return .pass
    }
    count(index.sender, index.flow) { $0.segments &+= 1 }
    let side = store[index]
    guard isPlausible(packet, side) else {
      counters.implausible &+= 1
      guard side.isOurs else { return .pass }
      // We are its receiver, and answer as one (RFC 9293 §3.10.7.4). If it passed, the real one might take what we don't count.
      store[index].flags.insert(.acknowledgmentDue)
      return .consumed
    }
    noteCongestion(index, packet)
    switch side.state {
    case .passThrough, .holding, .limiting: return follow(index, packet, now)
    case .accelerated, .draining: return own(index, packet, now)
    }
  }

  /// Not older than any window, and not beyond the edge that the sender was shown but for a probe, or what a window field says
  /// beyond it since it counts in units: data may begin there as well.
  func isPlausible(_ packet: Packet, _ side: FlowSide) -> Bool {
    let edge = SequenceNumber.later(side.shownEdge, side.receiverEdge)
    let unit = 1 &<< Int(side.receiverScale)
    guard packet.start >= side.unacknowledged - Self.farthest, packet.start - edge < unit else { return false }
    return packet.dataEnd - edge <= unit || packet.dataEnd <= side.expected
  }

  // MARK: Nothing is owed

  /// Data pass, as they do without us; if all is well a copy is kept.
  private func follow(_ index: SideIndex, _ packet: Packet, _ now: Instant) -> Verdict {
    let side = store[index]
    let before = side.next
    passesNew = packet.start >= before && packet.start >= side.highest
    if packet.start > side.expected { count(index.sender, index.flow) { $0.outOfOrder &+= 1 } }
    if policy(index).mode == .limit { rule(index, packet, side, now) } else { keepCopy(index, packet, side, now) }
    noteFIN(index, packet)
    let end = packet.segment.end
    noteFollowed(index, packet, now)
    store[index].next = SequenceNumber.later(before, end)
    if !noteSent(index, SequenceRange(start: packet.start, end: end), now) { stopHolding(index) }
    return .pass
  }

  /// Data pass as they came: where the stream is now, and when it came there.
  func noteFollowed(_ index: SideIndex, _ packet: Packet, _ now: Instant) {
    let end = packet.segment.end
    let expected = store[index].expected
    guard end > expected else {
      count(index.sender, index.flow) { $0.duplicates &+= 1 }
      noteRepair(index, packet)
      return noteRepeated(index, packet, now)
    }
    store[index].expected = end
    guard store[index].state == .passThrough, packet.start >= expected else { return }
    let isPrompt = end - store[index].unacknowledged >= 2 &* Int(store[index].segmentSize)
    passingTimes.begin(index, to: end, isPrompt: isPrompt, now)
  }

  private func keepCopy(_ index: SideIndex, _ packet: Packet, _ side: FlowSide, _ now: Instant) {
    guard packet.segment.payloadCount > 0 else {
      // A FIN that has overtaken data: what lies between is not held, and the stream is the receiver's until it is filled.
      if packet.start > side.buffer.end { stopHolding(index) }
      return
    }
    guard mayHold(index, packet, now) else { return stopHolding(index) }
    if side.state == .holding {
      // In order, or all of it known. A gap is the receiver's, and so is the stream until it is filled.
      guard packet.start <= side.buffer.end, side.isContiguous else { return stopHolding(index) }
      guard packet.dataEnd > side.buffer.end else { return }
      if !append(index, packet) { stopHolding(index) }
      return
    }
    guard packet.start == side.expected, beginSending(index, at: packet.start, now) else { return }
    store[index].buffer.restart(at: packet.start, in: store.chunks)
    store[index].state = .holding
    if !append(index, packet) { stopHolding(index) }
  }

  /// Forgets copies that nobody depends on, and what is on its way: the side passes.
  func stopHolding(_ index: SideIndex) {
    guard store[index].state == .holding || store[index].state == .limiting else { return }
    clear(index)
    store[index].state = .passThrough
    store[index].buffer.restart(at: store[index].expected, in: store.chunks)
  }

  /// Whether the payload may become ours.
  private func mayHold(_ index: SideIndex, _ packet: Packet, _ now: Instant) -> Bool {
    guard !isQuiescing, policy(index).mode != .off, isWorthwhile(index, now) else { return false }
    guard store[index].flags.contains(.dataAcknowledged), !store[index].flags.contains(.fragmented) else {
      return false
    }
    return isOrdinary(packet)
  }

  /// Neither urgent nor with options that might say something of just these octets (dangers 26, 30).
  func isOrdinary(_ packet: Packet) -> Bool {
    let known: TCPOptionKinds = [.timestamps, .sack]
    return !packet.segment.flags.contains(.urg) && packet.segment.options.kinds.isSubset(of: known)
  }

  // MARK: Something is owed

  private func own(_ index: SideIndex, _ packet: Packet, _ now: Instant) -> Verdict {
    beginAnew(index, packet)
    let side = store[index]
    if packet.segment.end <= side.acknowledged { return repeatedData(index, packet, now) }
    if packet.start > side.expected { return outOfOrder(index, packet, now) }
    if !isOrdinary(packet) { drain(index, packet.segment.flags.contains(.urg) ? .urgentData : .unknownOptions) }
    if packet.segment.end <= side.expected {
      // Sent again, and not acknowledged yet: what we hold we send; of the rest only the sender has it.
      count(index.sender, index.flow) { $0.duplicates &+= 1 }
      if packet.segment.end <= side.buffer.end || side.backlog > 0 || side.finWaits { return .consumed }
      // The FIN behind data that we hold went with them, and goes again with them.
      if packet.dataEnd <= side.buffer.end, packet.dataEnd > side.unacknowledged { return .consumed }
      guard fitsWindow(packet, side) else {
        // The receiver would throw it away, and say where it is.
        store[index].flags.insert(.acknowledgmentDue)
        counters.droppedSegments &+= 1
        return .consumed
      }
      store[index].next = SequenceNumber.later(side.next, packet.segment.end)
      noteSent(index, SequenceRange(start: packet.start, end: packet.segment.end), now)
      return .pass
    }
    let isKept = keep(index, packet)
    if !isKept, packet.segment.payloadCount > 0 {
      if store[index].state == .accelerated { drain(index, .bufferFull) }
      guard side.backlog == 0, fitsWindow(packet, side), canNote(index, to: packet.segment.end) else {
        counters.droppedSegments &+= 1
        return .consumed
      }
      discardLater(index)
    }
    noteFIN(index, packet)
    if packet.hasFIN { discardLater(index) }
    let fillsGap = side.buffer.hasLater
    store[index].expected = packet.segment.end
    takeLater(index)
    if fillsGap { store[index].flags.insert(.acknowledgmentDue) }
    if isKept { report(index, packet, now) }
    return passOn(index, packet, isKept: isKept, now)
  }

  /// Whether the receiver takes it, or it begins where the receiver has nothing, and so asks: the sender may have been shown a wider window.
  private func fitsWindow(_ packet: Packet, _ side: FlowSide) -> Bool {
    packet.segment.end <= side.receiverEdge || packet.start <= side.unacknowledged
  }

  /// Copies what is new of the payload behind what is held. True as well if there is nothing to copy.
  private func keep(_ index: SideIndex, _ packet: Packet) -> Bool {
    let side = store[index]
    // A FIN behind data that passed is the sender's: nothing here would take it along.
    guard side.isContiguous else { return false }
    guard packet.segment.payloadCount > 0 else { return true }
    guard isOrdinary(packet) else { return false }
    guard !side.flags.contains(.finSeen) || packet.dataEnd <= side.finSequence else { return false }
    // All of it is held: only its FIN is new.
    return packet.dataEnd <= side.buffer.end || append(index, packet)
  }

  /// Behind a gap all passes, and what the receiver's window does not take is lost again and again if the sender was shown a
  /// wider one. When the sender begins to fill the gap and nobody depends on us, we begin there once more: as if what lies behind had
  /// not been sent yet.
  private func beginAnew(_ index: SideIndex, _ packet: Packet) {
    let side = store[index]
    guard side.state == .draining, !side.isContiguous, side.owned == 0, side.buffer.isEmpty, !side.sending.isNone,
      packet.start <= side.unacknowledged, packet.dataEnd > side.unacknowledged
    else { return }
    guard !isQuiescing, !side.flags.contains(.fragmented), isOrdinary(packet) else { return }
    store[index].highest = SequenceNumber.later(side.highest, side.next)
    store.sendings[side.sending].recovery.unsent(from: side.unacknowledged, in: store.transmissions)
    store[index].buffer.restart(at: side.unacknowledged, in: store.chunks)
    store[index].next = side.unacknowledged
    store[index].expected = side.unacknowledged
  }

  /// R27, R28: the sender is told again; the receiver has it, or gets it from us.
  private func repeatedData(_ index: SideIndex, _ packet: Packet, _ now: Instant) -> Verdict {
    count(index.sender, index.flow) { $0.duplicates &+= 1 }
    let side = store[index]
    // With nothing owed it may be a question whether the receiver lives (danger 25): that is for the receiver.
    guard side.owned > 0 else { return .pass }
    let known = SequenceRange(start: packet.start, end: .earlier(packet.dataEnd, side.acknowledged))
    if !side.sending.isNone, known.start > side.acknowledged - Self.farthest {
      store.sendings[side.sending].duplicate = known
    }
    // Else we answer for it as long as it is heard. It must not pass: what the sender puts there then may be no data.
    if packet.segment.payloadCount > 1 || isHeard(side, now) { store[index].flags.insert(.acknowledgmentDue) }
    return .consumed
  }

  /// The same without an octet, as kernels ask for a window and whether the other end lives.
  private func answerQuestion(_ index: SideIndex, _ packet: Packet, _ now: Instant) {
    let side = store[index]
    guard side.isOurs, side.owned > 0, packet.start == side.acknowledged - 1, isHeard(side, now) else { return }
    store[index].flags.insert(.acknowledgmentDue)
  }

  /// The receiver has said something not long ago.
  func isHeard(_ side: FlowSide, _ now: Instant) -> Bool { now - side.lastHeard.instant <= .seconds(10) }

  /// R31: the slow path. The receiver answers; early acknowledgment pauses. But with room for what is out of order we are the one.
  private func outOfOrder(_ index: SideIndex, _ packet: Packet, _ now: Instant) -> Verdict {
    count(index.sender, index.flow) { $0.outOfOrder &+= 1 }
    let isStored = storeLater(index, packet)
    let side = store[index]
    if isStored || side.buffer.hasLater {
      if !isStored { counters.droppedSegments &+= 1 }
      owe(index)
      return .consumed
    }
    // What is held and not sent goes first, and the receiver could not tell the gap from our backlog: the sender is asked
    // for what is missing, and sends this again. So too with what lies beyond the receiver's window, whatever the sender was shown.
    guard side.backlog == 0, !side.finWaits, packet.segment.end <= side.receiverEdge,
      canNote(index, to: packet.segment.end)
    else {
      store[index].flags.insert(.acknowledgmentDue)
      counters.droppedSegments &+= 1
      return .consumed
    }
    drain(index, .outOfOrder)
    store[index].expected = packet.segment.end
    store[index].next = SequenceNumber.later(side.next, packet.segment.end)
    noteSent(index, SequenceRange(start: side.next, end: packet.segment.end), now)
    noteFIN(index, packet)
    return .pass
  }

  /// RFC 5681 §4.2: a duplicate acknowledgment at once, for each segment that makes or leaves a gap.
  private func owe(_ index: SideIndex) {
    let sending = store[index].sending
    if store[index].flags.contains(.acknowledgmentDue), !store[index].flags.contains(.sackPermitted) {
      let due = store.sendings[sending].duplicatesDue
      store.sendings[sending].duplicatesDue = min(due &+ 1, 3)
    }
    store[index].flags.insert(.acknowledgmentDue)
  }

  /// Notes that the sender is owed an acknowledgment, at once or soon.
  private func report(_ index: SideIndex, _ packet: Packet, _ now: Instant) {
    guard store[index].state == .accelerated else { return }
    let end = promisedEnd(index)
    let news = max(0, end - store[index].acknowledged)
    // What only the tail grew by, the receiver acknowledges.
    guard news > 0 || policy(index).configuration.tailSize == 0 else { return }
    store[index].acknowledged = SequenceNumber.later(store[index].acknowledged, end)
    counters.earlyOctets &+= UInt64(news)
    if news > 0 { noteEarly(index, to: end, now) }
    store[index].unreported &+= UInt32(truncatingIfNeeded: news)
    let isMuch = Int(store[index].unreported) >= 2 &* Int(store[index].segmentSize)
    let isAtOnce = policy(index).configuration.acknowledgmentDelay <= .zero || packet.segment.flags.contains(.psh)
    if isMuch || isAtOnce || packet.hasFIN {
      store[index].flags.insert(.acknowledgmentDue)
    } else if news > 0 {
      let sending = store[index].sending
      if store.sendings[sending].acknowledgmentDeadline == nil {
        store.sendings[sending].acknowledgmentDeadline = now + policy(index).configuration.acknowledgmentDelay
      }
    }
  }

  /// Up to where the sender may be acknowledged early.
  func promisedEnd(_ index: SideIndex) -> SequenceNumber {
    store[index].dataEnd - Int(policy(index).configuration.tailSize)
  }

  /// Whether the frame itself goes on, or its data later, from the buffer.
  private func passOn(_ index: SideIndex, _ packet: Packet, isKept: Bool, _ now: Instant) -> Verdict {
    let side = store[index]
    let end = packet.segment.end
    let isNext = packet.start <= side.next
    let range = SequenceRange(start: SequenceNumber.later(packet.start, side.next), end: end)
    let isLarge = packet.frame.segmentSize != 0
    // At a rate all go from the buffer, in turns.
    let mayPass =
      !isKept
      || !isShaped(index.receiver) && fitsPath(packet, side) && maySend(index, range, isLarge: isLarge, now)
    guard isNext, mayPass else {
      return .consumed
    }
    if isKept {
      passed = PassedData(side: index, next: side.next)
      passesNew = packet.start >= side.next && packet.start >= side.highest
    }
    store[index].next = SequenceNumber.later(side.next, end)
    noteSent(index, range, isPaced: isKept, now)
    return .pass
  }

  /// The leg has no room for the frame that `arrive` let pass.
  ///
  /// - Returns: true if it need not leave: what it carried will be sent from the buffer. Else the caller keeps it for later.
  public func passFailed() -> Bool {
    guard let index = passed.side else { return false }
    store[index].next = passed.next
    let sending = store[index].sending
    if !sending.isNone { store.sendings[sending].recovery.unsent(from: passed.next, in: store.transmissions) }
    if passed.carriesReduction { store[index].flags.insert(.windowReduced) }
    // What its header acknowledged goes by another way.
    store[index.opposite].flags.insert(.acknowledgmentDue)
    passed = PassedData()
    store.append(index.flow, to: .toGuest)
    store.append(index.flow, to: .toNetwork)
    return true
  }
}
