// SPDX-License-Identifier: Apache-2.0

import Arena
import Memory
public import Packets
public import Timekeeping
import Wire

// What the module does with frames, one by one, for whoever looks on: found out by comparing before and after, so that nobody pays for it
// while nobody looks.

extension VTCPModule {
  /// As `arrive`, and tells what became of the frame.
  public func arriveTelling(from leg: Leg, _ frame: PassingFrame, now: Instant) -> FrameStory {
    guard let packet = packet(leg, frame) else { return FrameStory(arrive(from: leg, frame, now: now)) }
    let key = FlowKey(packet)
    let flow = identification.find(key)
    let before = flow.map { Look(store, SideIndex($0, sender: leg)) }
    let counted = counters
    var story = FrameStory(arrive(from: leg, frame, now: now))
    let found = identification.find(key)
    let after = found.map { Look(store, SideIndex($0, sender: leg)) }
    tellConnection(before, after, &story)
    tellCounters(counted, &story)
    if let before, let after { tellSide(before, after, packet, &story) }
    guard story.verdict != .consumed else { return story }
    var passed = frame
    if story.verdict == .replaced {
      passed = PassingFrame(
        head: replacement, length: replacement.count, vectors: frame.vectors, firstVector: frame.vectorsEnd,
        vectorsEnd: frame.vectorsEnd)
    }
    passed.segmentSize = frame.segmentSize
    if let now = self.packet(leg, passed) { tellHeader(packet.segment, now.segment, &story) }
    return story
  }

  /// What `emit` has made last and nobody has said of yet whether it left.
  public var emissionStory: EmissionStory {
    guard !pending.flow.isNone else { return .data }
    if pending.isReset { return .reset }
    if pending.isProbe { return .probe }
    let told = SideIndex(pending.flow, sender: pending.leg)
    guard !pending.range.isEmpty else {
      return .acknowledgment(earlyOctets: max(0, pending.acknowledged - store[told].unacknowledged))
    }
    let isNew = pending.isNew && pending.range.start >= store[told.opposite].highest
    return isNew ? .data : .resent
  }

  private func packet(_ leg: Leg, _ frame: PassingFrame) -> Packet? {
    guard let layout = FrameLayout(parsing: frame.head, frameLength: frame.length),
      let segment = TCPSegment(
        parsing: frame.head, layout: layout, frameLength: frame.length, isLarge: frame.segmentSize != 0)
    else { return nil }
    return Packet(frame: frame, layout: layout, segment: segment, leg: leg)
  }

  /// What there is to be seen of a connection whose data go one way.
  private struct Look {
    let passReason: PassReason
    let state: SideState
    let reason: DrainReason
    /// Of the other direction, which its acknowledgment is about.
    let oppositeState: SideState
    let oppositeReason: DrainReason
    let heldEnd: SequenceNumber
    let holds: Bool
    let duplicates: UInt32
    let swallowed: UInt32

    init(_ store: FlowStore, _ index: SideIndex) {
      let flow = store.flows[index.flow]
      let counters = index.sender == .guest ? flow.guestCounters : flow.networkCounters
      let side = store[index]
      passReason = flow.passReason
      state = side.state
      reason = side.reason
      oppositeState = store[index.opposite].state
      oppositeReason = store[index.opposite].reason
      heldEnd = side.buffer.end
      holds = !side.buffer.isEmpty
      duplicates = counters.duplicates
      swallowed = counters.swallowedAcknowledgments
    }
  }

  private func tellConnection(_ before: Look?, _ after: Look?, _ story: inout FrameStory) {
    switch (before, after) {
    case (nil, nil): story.events.insert(.notFollowed)
    case (nil, .some): story.events.insert(.followed)
    case (.some, nil): story.events.insert(.forgotten)
    case (.some, .some): break
    }
    guard let after, after.passReason != .none else { return }
    story.events.insert(.untouched)
    story.passReason = after.passReason
  }

  private func tellCounters(_ before: ModuleCounters, _ story: inout FrameStory) {
    let after = counters
    if after.earlyOctets != before.earlyOctets {
      story.events.insert(.acknowledgedEarly)
      story.earlyOctets = Int(truncatingIfNeeded: after.earlyOctets &- before.earlyOctets)
    }
    if after.storedSegments != before.storedSegments { story.events.insert(.heldAhead) }
    if after.droppedSegments != before.droppedSegments { story.events.insert(.dropped) }
    if after.implausible != before.implausible { story.events.insert(.implausible) }
    if after.badChecksums != before.badChecksums { story.events.insert(.badChecksum) }
  }

  private func tellSide(_ before: Look, _ after: Look, _ packet: Packet, _ story: inout FrameStory) {
    if after.duplicates != before.duplicates { story.events.insert(.repeated) }
    if after.swallowed != before.swallowed { story.events.insert(.keptBack) }
    let begin = before.holds ? before.heldEnd : packet.start
    if after.holds, after.heldEnd > begin, packet.segment.payloadCount > 0 {
      story.events.insert(.held)
      story.heldOctets = after.heldEnd - begin
    }
    tellState(before.state, after.state, after.reason, of: packet.leg, &story)
    tellState(before.oppositeState, after.oppositeState, after.oppositeReason, of: packet.leg.opposite, &story)
  }

  private func tellState(
    _ before: SideState, _ after: SideState, _ reason: DrainReason, of sender: Leg, _ story: inout FrameStory
  ) {
    guard before != after else { return }
    if after == .accelerated { story.events.insert(sender == .guest ? .guestBegan : .networkBegan) }
    if before == .accelerated {
      story.events.insert(sender == .guest ? .guestEnded : .networkEnded)
      story.reason = reason
    }
  }

  private func tellHeader(_ before: TCPSegment, _ after: TCPSegment, _ story: inout FrameStory) {
    if after.sequenceNumber != before.sequenceNumber { story.events.insert(.sequenceRewritten) }
    if after.acknowledgmentNumber != before.acknowledgmentNumber {
      story.events.insert(.acknowledgmentRewritten)
      story.acknowledgmentChange = after.acknowledgmentNumber - before.acknowledgmentNumber
    }
    if after.window != before.window { story.events.insert(.windowRewritten) }
    if after.flags != before.flags { story.events.insert(.flagsRewritten) }
    if after.options != before.options { story.events.insert(.optionsRewritten) }
  }
}
