// SPDX-License-Identifier: Apache-2.0

import Arena
public import Memory
public import Timekeeping
import Wire

// The transmitter (FIG. 15, 1520): frames of the module's own, made when a leg takes them.

extension VTCPModule {
  /// Makes the next frame for `leg`: data from the buffer, or an acknowledgment. Nil if there is none.
  ///
  /// Nothing is changed before the caller says `emitted`; with `notEmitted`, or another `emit`, it was never made.
  /// - Parameters:
  ///   - head: `SegmentTemplate.maximumHeaderLength` bytes for headers.
  ///   - vectors: gets the payload from `first` on; it is valid until the next call of any kind.
  ///   - largest: the most bytes of payload that a frame to be cut may have; one segment goes always.
  public func emit(
    to leg: Leg, head: ByteRegion, vectors: RecordBuffer<IOVector>, first: Int, largest: Int, now: Instant
  ) -> Emission? {
    let list = FlowList(towards: leg)
    while true {
      let flow = store.first(of: list)
      guard !flow.isNone else {
        return isShaping ? emitShaped(to: leg, head, vectors, first, largest, now) : nil
      }
      pending = PendingEmission()
      pending.flow = flow
      pending.leg = leg
      if store.flows[flow].resetDue & (1 &<< leg.rawValue) != 0 { return makeReset(flow, leg, head, first) }
      if isShaped(leg) {
        // What has data, beside what is said here at once, waits for its turn.
        let index = SideIndex(flow, receiver: leg)
        if hasData(index), !isPaced(index, now) { awaitTurn(index, now) }
      } else if let emission = makeSegment(flow, leg, head, vectors, first, largest, now) {
        return emission
      }
      if let emission = makeProbe(flow, leg, head, first) { return emission }
      if store[SideIndex(flow, sender: leg)].flags.contains(.acknowledgmentDue) {
        return makeAcknowledgment(flow, leg, head, first)
      }
      endedTurn(flow, leg)
    }
  }

  /// The frame that `emit` made has left.
  public func emitted(now: Instant) {
    let flow = pending.flow
    guard !flow.isNone else { return }
    pending.flow = .none
    if pending.isReset {
      if isShaping { chargePending(now) }
      return resetWent(flow, pending.leg)
    }
    let told = SideIndex(flow, sender: pending.leg)
    store[told].shownEdge = SequenceNumber.later(store[told].shownEdge, pending.edge)
    acknowledgmentWent(told)
    if pending.isProbe { store[told.opposite].flags.remove(.probeDue) }
    if pending.range.isEmpty {
      count(pending.leg, flow) { $0.earlyAcknowledgments &+= 1 }
    } else {
      let data = told.opposite
      if !pending.isNew || pending.range.start < store[data].highest {
        count(pending.leg, flow) { $0.retransmissions &+= 1 }
        noteResent(data, pending.range)
      }
      if pending.isNew { store[data].next = pending.range.end }
      if pending.carriesReduction { reductionWent(data, to: pending.range.end) }
      noteSent(data, pending.range, isPaced: true, now)
    }
    if pending.hasTurn {
      hadShapedTurn(flow, now)
    } else {
      if isShaping { chargePending(now) }
      hadTurn(flow, pending.leg, payloadCount: pending.range.count)
    }
    schedule(flow, now)
  }

  /// The frame that `emit` made has not left, for want of room.
  public func notEmitted() {
    pending.flow = .none
  }

  func makeSegment(
    _ flow: RecordIndex, _ leg: Leg, _ head: ByteRegion, _ vectors: RecordBuffer<IOVector>, _ first: Int,
    _ largest: Int, _ now: Instant
  ) -> Emission? {
    let index = SideIndex(flow, receiver: leg)
    guard !isPaced(index, now) else { return nil }
    let isNew: Bool
    var range: SequenceRange
    if let lost = rangeToResend(index, largest) {
      range = lost
      isNew = false
    } else if let news = rangeToSend(index, largest) {
      range = news
      isNew = true
    } else {
      return nil
    }
    let side = store[index]
    let hasFIN = side.flags.contains(.finSeen) && range.end > side.finSequence
    let data = SequenceRange(start: range.start, end: hasFIN ? side.finSequence : range.end)
    guard let vectorsEnd = store[index].buffer.gather(data, into: vectors, at: first, in: store.chunks) else {
      return nil
    }
    var flags: TCPFlags = .ack
    if hasFIN { flags.insert(.fin) }
    if data.count > 0, data.end == side.buffer.end, side.flags.contains(.push) { flags.insert(.psh) }
    // Not if we only act as if it had never been sent.
    let isNewest = isNew && range.start >= side.highest
    if isNewest, side.flags.contains(.windowReduced) {
      flags.insert(.cwr)
      pending.carriesReduction = true
    }
    pending.range = range
    pending.isNew = isNew
    // RFC 3168 §6.1.5: what is sent again is not marked, but lost.
    let isCapable =
      isNewest && data.count > 0 && side.flags.contains(.usesECN)
      && (!store.flows[flow].bridgesECN || rulesCongestion(index))
    let header = writeHeader(
      flow, leg, head, sequenceNumber: range.start, flags, payloadCount: data.count,
      ecn: isCapable ? .capable0 : .notCapable)
    let size = Int(side.segmentSize)
    if isShaping {
      pending.wireOctets = Self.wireOctets(headers: header.length, payload: data.count, segmentSize: size)
    }
    return Emission(
      headerLength: header.length, vectorsEnd: vectorsEnd, payloadCount: data.count,
      checksumStart: header.checksumStart, segmentSize: data.count > size ? size : 0,
      isIPv6: store.flows[flow].key.ipVersion == 6)
  }

  /// Asks the receiver for its window: an octet that it has, without the octet (RFC 9293 §3.8.6.1, as stacks do it). So nothing
  /// is in flight that it would not take.
  private func makeProbe(_ flow: RecordIndex, _ leg: Leg, _ head: ByteRegion, _ first: Int) -> Emission? {
    let side = store[SideIndex(flow, receiver: leg)]
    guard side.isOurs, side.flags.contains(.probeDue) else { return nil }
    pending.isProbe = true
    let header = writeHeader(
      flow, leg, head, sequenceNumber: side.unacknowledged - 1, .ack, payloadCount: 0)
    pending.wireOctets = header.length
    return Emission(
      headerLength: header.length, vectorsEnd: first, payloadCount: 0, checksumStart: header.checksumStart,
      segmentSize: 0, isIPv6: false)
  }

  private func makeAcknowledgment(_ flow: RecordIndex, _ leg: Leg, _ head: ByteRegion, _ first: Int) -> Emission {
    // The number that the end itself would use: the next one that it has not sent, as far as this leg has seen, and its receiver takes.
    let number = store[SideIndex(flow, receiver: leg)].emptyNumber
    let blocks = blocksToReport(SideIndex(flow, sender: leg))
    let header = writeHeader(flow, leg, head, sequenceNumber: number, .ack, payloadCount: 0, blocks: blocks)
    pending.wireOctets = header.length
    return Emission(
      headerLength: header.length, vectorsEnd: first, payloadCount: 0, checksumStart: header.checksumStart,
      segmentSize: 0, isIPv6: false)
  }

  private func makeReset(_ flow: RecordIndex, _ leg: Leg, _ head: ByteRegion, _ first: Int) -> Emission {
    pending.isReset = true
    let number = store[SideIndex(flow, receiver: leg)].emptyNumber
    let header = writeHeader(flow, leg, head, sequenceNumber: number, [.rst, .ack], payloadCount: 0)
    pending.wireOctets = header.length
    return Emission(
      headerLength: header.length, vectorsEnd: first, payloadCount: 0, checksumStart: header.checksumStart,
      segmentSize: 0, isIPv6: false)
  }

  private func resetWent(_ flow: RecordIndex, _ leg: Leg) {
    store.flows[flow].resetDue &= ~(1 &<< leg.rawValue)
    if store.flows[flow].resetDue == 0 { forget(flow) } else { store.remove(flow, from: FlowList(towards: leg)) }
  }

  /// Headers to `leg` in the other end's name.
  private func writeHeader(
    _ flow: RecordIndex, _ leg: Leg, _ head: ByteRegion, sequenceNumber: SequenceNumber, _ flags: TCPFlags,
    payloadCount: Int, ecn: ECNCodepoint = .notCapable, blocks: SACKBlocks = SACKBlocks()
  ) -> WrittenHeader {
    let told = SideIndex(flow, sender: leg)
    let side = store[told]
    let window = side.isOurs ? windowField(told) : clampedField(told, at: side.acknowledged, side.lastWindow)
    pending.acknowledged = side.acknowledged
    pending.edge = edge(told, shownBy: window)
    var fields = SegmentFields(
      sequenceNumber: sequenceNumber, acknowledgmentNumber: side.acknowledged, flags: flags, window: window,
      payloadCount: payloadCount)
    fields.ecnCodepoint = ecn
    fields.sackBlocks = blocks
    if side.flags.contains(.echoesCongestion), side.isOurs || store.flows[flow].bridgesECN { fields.flags.insert(.ece) }
    if store.flows[flow].hasTimestamps {
      fields.timestamps = TCPTimestamps(
        value: store[told.opposite].newestTimestamp, echo: side.recentTimestamp)
    }
    let key = store.flows[flow].key
    if leg == .network {
      return store.flows[flow].fromGuest.write(into: head, from: key.guest, to: key.network, fields)
    }
    return store.flows[flow].fromNetwork.write(into: head, from: key.network, to: key.guest, fields)
  }
}
