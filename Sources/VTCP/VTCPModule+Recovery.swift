// SPDX-License-Identifier: Apache-2.0

import Arena
import CongestionControl
import LossRecovery
import TCPPolicy
import Timekeeping
import Wire

// The retransmission timers and congestion control of the two sides (FIG. 5: 522 and 523, 531 and 532): what is in flight, what may
// follow it, and what is to be sent again.

extension RecoveryKnobs {
  /// Towards the network all there is (R36); towards the guest a timer that doubles (R33), unless policy wants more (R37).
  init(_ configuration: FlowConfiguration, isTransmit: Bool, reservedRecords: Int) {
    self.init()
    congestion = configuration.congestionKnobs
    // Its first round trips fill a path to three times what it holds: over a short queue every second segment is missing.
    if congestion.algorithm == .bbr || congestion.algorithm == .bbr3 { recordLimit = 1024 }
    self.reservedRecords = reservedRecords
    usesProbes = configuration.effectiveMode != .limit
    // When to give up is said by the receiver's silence, too: `VTCPModule.isGone`.
    attempts = .max
    guard !isTransmit, configuration.receiveRecovery == .simple else { return }
    style = .doublingTimer
    congestion.algorithm = .none
    congestion.isPaced = false
  }
}

extension VTCPModule {
  /// How often a segment is sent again in mode `snoop`, where the sender can do so as well.
  static var snoopAttempts: UInt8 { 3 }

  /// What policy says of the connection that a side belongs to.
  @inline(__always)
  func policy(_ index: SideIndex) -> FlowPolicy { policy(of: index.flow) }

  func knobs(_ index: SideIndex) -> RecoveryKnobs {
    index.isTransmit ? policy(index).transmitKnobs : policy(index).receiveKnobs
  }

  /// Gives the side what it needs to send by itself, from `first` on. False if there is none left.
  func beginSending(_ index: SideIndex, at first: SequenceNumber, _ now: Instant) -> Bool {
    guard let sending = store.sendings.allocate() else { return false }
    store.sendings[sending] = SideSending(
      knobs: knobs(index), segmentSize: Int(store[index].segmentSize),
      usesSACK: store[index].flags.contains(.sackPermitted), at: first)
    if store[index].roundTrip != .unknown {
      store.sendings[sending].recovery.adopt(roundTrip: store[index].roundTrip.interval, now: now)
    }
    passingTimes.cancel(index)
    store[index].sending = sending
    weightInUse &+= weight(index)
    return true
  }

  /// Whether losses towards the receiver are ours to repair. In mode `snoop` no longer when we have tried often enough: then the
  /// sender is to hear of it.
  func recovers(_ index: SideIndex) -> Bool {
    let side = store[index]
    if side.isOurs { return true }
    guard side.state == .holding, !side.sending.isNone, policy(index).mode == .snoop else { return false }
    return store.sendings[side.sending].recovery.firstRetransmissions(in: store.transmissions) < Self.snoopAttempts
  }

  /// The sender has repeated what its receiver lacks first: its timer has run out. By what is acknowledged next it judges whether it was in vain
  /// (RFC 5682), so nothing is acknowledged because of us that it has not sent again itself: or a timeout that was called for, since the
  /// receiver has shut its window and thrown away what was on its way, would look as if nothing had been lost.
  func noteRepair(_ index: SideIndex, _ packet: Packet) {
    let side = store[index]
    guard side.state == .holding, packet.dataEnd > side.unacknowledged else { return }
    let recovers = store.sendings[side.sending].senderRecovers
    if packet.start <= side.unacknowledged {
      // While the window is open it is the path that loses, and all is as ever.
      guard recovers || side.receiverEdge < side.next else { return }
      if !recovers { store.sendings[side.sending].repeatedEnd = packet.dataEnd }
      store.sendings[side.sending].senderRecovers = true
      store.sendings[side.sending].senderPoint = side.expected
    }
    let repeatedEnd = store.sendings[side.sending].repeatedEnd
    guard store.sendings[side.sending].senderRecovers, packet.start <= repeatedEnd else { return }
    store.sendings[side.sending].repeatedEnd = .later(repeatedEnd, packet.dataEnd)
  }

  /// Whether the sender recovers from a timeout by itself.
  func senderRecovers(_ index: SideIndex) -> Bool {
    guard store[index].state == .holding, !store[index].sending.isNone else { return false }
    return store.sendings[store[index].sending].senderRecovers
  }

  /// Whether timers run for what is on its way: ours, or the sender's, as far as our window goes by it.
  func runsTimers(_ index: SideIndex) -> Bool { store[index].state == .limiting || recovers(index) }

  /// Whether what is sent up to `end` would be remembered.
  func canNote(_ index: SideIndex, to end: SequenceNumber) -> Bool {
    let sending = store[index].sending
    guard !sending.isNone else { return true }
    return store.sendings[sending].recovery.canSend(in: store.transmissions)
      && end - store.sendings[sending].recovery.unacknowledged <= LossRecovery.longestFlight
  }

  /// Data went to the receiver. False if that can't be remembered; then it is as if they had not been sent.
  ///
  /// - Parameter isPaced: whether they had waited for the pacer. What could not wait does not make ours wait either: a sender that
  ///   repeats itself would hold back for ever what it repeats itself for.
  @discardableResult
  func noteSent(_ index: SideIndex, _ range: SequenceRange, isPaced: Bool = false, _ now: Instant) -> Bool {
    let sending = store[index].sending
    guard !sending.isNone, !range.isEmpty else { return true }
    let isNoted = store.sendings[sending].recovery.sent(
      range, in: store.transmissions, knobs: knobs(index), now: now)
    let highest = store[index].highest
    if isNoted, range.start < highest {
      // It had been sent before: what comes back may be the answer to that.
      store.sendings[sending].recovery.retransmitted(
        SequenceRange(start: range.start, end: .earlier(range.end, highest)), in: store.transmissions,
        knobs: knobs(index), now: now)
    }
    if isNoted, isPaced { store.sendings[sending].recovery.pacer.sent(bytes: range.count, now: now) }
    return isNoted
  }

  /// We sent something again.
  func noteResent(_ index: SideIndex, _ range: SequenceRange) {
    let sending = store[index].sending
    guard !sending.isNone else { return }
    var hull = range
    if store[index].flags.contains(.resent) {
      let known = store.sendings[sending].resent
      hull = SequenceRange(start: .earlier(known.start, range.start), end: .later(known.end, range.end))
    }
    store.sendings[sending].resent = hull
    store[index].flags.insert(.resent)
  }

  // MARK: What may go

  /// Whether the new data of a frame may go to the receiver now. If not, they wait in the buffer.
  func maySend(_ index: SideIndex, _ range: SequenceRange, isLarge: Bool, _ now: Instant) -> Bool {
    let side = store[index]
    guard range.end <= side.receiverEdge, canNote(index, to: range.end), !side.sending.isNone else { return false }
    // What is lost goes first.
    guard store.sendings[side.sending].recovery.lost == 0, !isPaced(index, now) else { return false }
    guard range.count <= store.sendings[side.sending].recovery.allowance else { return false }
    // CWR is for the first segment only (RFC 3168 §6.1.2).
    return !isLarge || !side.flags.contains(.windowReduced)
  }

  /// Whether the pacer holds it back.
  func isPaced(_ index: SideIndex, _ now: Instant) -> Bool {
    let sending = store[index].sending
    return !sending.isNone && store.sendings[sending].recovery.pacer.earliest(now: now) > now
  }

  /// What counts as lost, or is to be sent as a probe, and may be sent again now.
  func rangeToResend(_ index: SideIndex, _ largest: Int) -> SequenceRange? {
    let side = store[index]
    guard !side.sending.isNone, store.sendings[side.sending].recovery.hasToRetransmit, recovers(index) else {
      return nil
    }
    let limit = min(store.sendings[side.sending].recovery.allowance, largestPiece(index, largest))
    guard
      let lost = store.sendings[side.sending].recovery.nextToRetransmit(limit: limit, in: store.transmissions)
    else { return nil }
    // Beyond what the receiver takes now, only its answer is of use: one octet brings that.
    let edge = SequenceNumber.later(side.receiverEdge, side.unacknowledged + 1)
    let hasFIN = side.flags.contains(.finSeen) && side.buffer.end == side.finSequence
    let held = side.buffer.end + (hasFIN && side.next > side.finSequence ? 1 : 0)
    let start = SequenceNumber.later(lost.start, side.unacknowledged)
    var end = SequenceNumber.earlier(.earlier(lost.end, edge), .earlier(held, side.next))
    if senderRecovers(index) { end = .earlier(end, store.sendings[side.sending].repeatedEnd) }
    guard end > start, start >= side.buffer.start else { return nil }
    return SequenceRange(start: start, end: end)
  }

  /// What is held and was never sent, as far as the windows let it.
  func rangeToSend(_ index: SideIndex, _ largest: Int) -> SequenceRange? {
    let side = store[index]
    guard side.isOurs, side.backlog > 0 || side.finWaits, side.next >= side.buffer.start else { return nil }
    guard !side.sending.isNone, canNote(index, to: side.next + largestPiece(index, largest)) else { return nil }
    let size = Int(side.segmentSize)
    var most = min(store.sendings[side.sending].recovery.allowance, largestPiece(index, largest))
    if side.flags.contains(.windowReduced) { most = min(most, size) }
    if most > size { most -= most % size }
    guard most > 0 else { return nil }
    var end = SequenceNumber.earlier(side.buffer.end, side.next + most)
    if side.finWaits, end == side.buffer.end, end - side.next < most { end += 1 }
    end = SequenceNumber.earlier(end, side.receiverEdge)
    guard end > side.next else { return nil }
    // RFC 9293 §3.8.6.2.1: no small segment for a window that will open further, while something is on its way.
    if end - side.next < size, end < side.buffer.end, side.outstanding > 0 { return nil }
    return SequenceRange(start: side.next, end: end)
  }

  /// Whole segments that one frame may have: as many as it can be cut into, and no more than the pacer lets go at once.
  private func largestPiece(_ index: SideIndex, _ largest: Int) -> Int {
    let side = store[index]
    let size = Int(side.segmentSize)
    var quantum = store.sendings[side.sending].recovery.pacer.quantum(segmentSize: size)
    if isShaped(index.receiver) { quantum = min(quantum, shaping(index.receiver).shaper.piece(segmentSize: size)) }
    if index.receiver == .network {
      guard policy(index).configuration.sendsLarge else { return size }
      quantum = min(quantum, mostSegmentsToNetwork &* size)
    }
    return max(size, min(largest, quantum) / size &* size)
  }
}
