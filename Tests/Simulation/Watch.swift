// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import FrameSupport
import Memory
import TCPPolicy
import VTCP
import Wire

/// Asserts the invariants of docs/vtcp.md from outside, after every step (I1 to I12).
struct Watch {
  /// The last view, and the highest edges shown.
  private(set) var last: FlowView?
  /// The frame in hand, as it came.
  private let frameCopy: ByteRegion
  private var copiedCount = 0
  private var hasCopy = false
  /// The connection was reset.
  private var isOver = false
  /// The highest place of the stream that has left for the network, and for the guest.
  var left = [0, 0]
  /// The highest right edge that the guest was shown, and the network's end.
  var told = [0, 0]
  /// ECN was spoken in the guest's place.
  private(set) var hasBridged = false

  init(frameCopy: ByteRegion) {
    self.frameCopy = frameCopy
  }

  /// I3, I4, I5, I7, I9: the numbers of the flow.
  mutating func check(_ view: FlowView?, _ simulation: Simulation) throws(Broken) {
    defer { last = view }
    guard let view else { return }
    // Of a connection that is let alone the handshake is not followed; it is translated all the same.
    if view.bridgesECN, view.phase == .established || view.passReason != .none { hasBridged = true }
    try check(view.transmit, last?.transmit, simulation)
    try check(view.receive, last?.receive, simulation)
    try checkWindow(view.transmit, last?.transmit, simulation.guest, simulation)
    try checkWindow(view.receive, last?.receive, simulation.network, simulation)
    try checkLimits(view.transmit, simulation.guest, simulation)
    try checkLimits(view.receive, simulation.network, simulation)
    // Between a window that has just been shown and this look a timeout may have taken it back.
    if view.networkLeg.timeouts == last?.networkLeg.timeouts {
      try checkRule(view.transmit, last?.transmit, simulation.guest, simulation)
    }
    if view.guestLeg.timeouts == last?.guestLeg.timeouts {
      try checkRule(view.receive, last?.receive, simulation.network, simulation)
    }
    if simulation.schedule.isSilent, simulation.module.heldChunks > 0 {
      throw Broken("something is kept: \(simulation.report)")
    }
    let owes = view.transmit.owned > 0 || view.receive.owned > 0
    if owes, !view.hasTimer { throw Broken("I7: octets are owned and no timer runs: \(simulation.report)") }
    let limit = simulation.module.chunkLimit
    if simulation.module.heldChunks > limit { throw Broken("I9: \(simulation.module.heldChunks) chunks of \(limit)") }
    // I2: what is acknowledged is held, or the receiver has it.
    try checkHeld(view.transmit, end: simulation.guest, receiver: simulation.network, simulation)
    try checkHeld(view.receive, end: simulation.network, receiver: simulation.guest, simulation)
  }

  private func check(_ side: SideView, _ old: SideView?, _ simulation: Simulation) throws(Broken) {
    guard side.state != .passThrough else { return }
    if side.isOurs, side.acknowledged < side.unacknowledged {
      throw Broken("I3: acknowledged \(side.acknowledged), receiver \(side.unacknowledged)")
    }
    guard let old else { return }
    if old.isOurs, side.isOurs, side.acknowledged < old.acknowledged {
      throw Broken("I4: \(old.acknowledged) then \(side.acknowledged)")
    }
    if old.state != .passThrough, side.shownEdge < old.shownEdge {
      throw Broken("I5: \(old.shownEdge) then \(side.shownEdge)")
    }
  }

  private func checkHeld(
    _ side: SideView, end: ModelEnd, receiver: ModelEnd, _ simulation: Simulation
  ) throws(Broken) {
    guard side.isOurs, receiver.state == .established, end.state == .established else { return }
    let acknowledged = end.highest + Int(Int32(bitPattern: side.acknowledged.rawValue &- end.wire(end.highest)))
    let held = end.highest + Int(Int32(bitPattern: side.heldEnd.rawValue &- end.wire(end.highest)))
    let start = end.highest + Int(Int32(bitPattern: side.heldStart.rawValue &- end.wire(end.highest)))
    if acknowledged > receiver.received, acknowledged > held || start > receiver.received {
      throw Broken(
        "I2: \(acknowledged) acknowledged, held \(start)..<\(held), received \(receiver.received): \(simulation.report)"
      )
    }
    // I11.
    if acknowledged > end.finPlaceOfOwn, !receiver.hasPeersFIN {
      throw Broken("I11: a FIN is acknowledged that the receiver does not have: \(simulation.report)")
    }
  }

  /// I8: what passes while nothing is ours, before and after, is as it was.
  mutating func remember(_ frame: ByteRegion, _ view: FlowView?) {
    hasCopy = !(view?.hasOurs ?? false)
    copiedCount = frame.count
    if hasCopy { frameCopy.copy(from: frame) }
  }

  func compare(_ frame: ByteRegion, _ simulation: Simulation) throws(Broken) {
    guard hasCopy else { return }
    let before = frameCopy.slice(from: 0, count: copiedCount)
    if ModelSegment.flags(of: before) & ModelSegment.syn != 0, let view = simulation.view {
      return try checkSYN(before, frame, view, simulation)
    }
    guard !before.hasSameBytes(as: frame) else { return }
    // The last frame of a connection ends its record.
    guard let view = simulation.view ?? last else { throw Broken("I8: a frame of no connection was changed") }
    if view.bridgesECN {
      copyECN(from: frame, to: before)
      guard !before.hasSameBytes(as: frame) else { return }
    }
    guard !view.hasOurs, !hidesReport(before, frame, view, simulation) else { return }
    throw Broken("I8: a frame was changed while nothing was owed: \(simulation.report)")
  }

  /// What ECN may change where it is spoken in the guest's place, and the checksums. What the ends see of it they judge themselves.
  private func copyECN(from after: ByteRegion, to before: ByteRegion) {
    guard after.count == before.count, after.count >= 54 else { return }
    func copy(_ place: Int, _ mask: UInt8) {
      before.store(before.load(UInt8.self, at: place) & ~mask | after.load(UInt8.self, at: place) & mask, at: place)
    }
    let isIPv6 = after.networkOrder(UInt16.self, at: 12) == 0x86dd
    let tcp = isIPv6 ? 54 : 34
    guard after.count >= tcp + 20 else { return }
    copy(15, isIPv6 ? 0x30 : 3)
    copy(tcp + 13, ModelSegment.ece | ModelSegment.cwr)
    for place in [tcp + 16, tcp + 17] + (isIPv6 ? [] : [24, 25]) { copy(place, 0xff) }
  }

  /// RFC 3168 §6.1.5, of what passes in the place of a guest that has no ECN of its own.
  private func checkMark(_ frame: ByteRegion, from leg: Leg, _ simulation: Simulation) throws(Broken) {
    guard leg == .guest, !simulation.guest.usesECN, simulation.guest.state == .established,
      let segment = try? ModelSegment(reading: frame, checkingSum: false), segment.ecn != 0
    else { return }
    let start =
      simulation.guest.highest
      + Int(Int32(bitPattern: segment.sequence &- simulation.guest.wire(simulation.guest.highest)))
    guard segment.payloadCount == 0 || start < left[0] else { return }
    throw Broken("ECT on what passes and is not new: \(start)+\(segment.payloadCount): \(simulation.report)")
  }

  /// What came twice because of us is not reported, though nothing is owed any more (danger 18); and in mode `snoop` a sender may hear of
  /// less of a window, and of no gap, in mode `limit` of less of a window only; and where the VM has a
  /// rate, of less of a window. All else is as it was.
  private func hidesReport(
    _ before: ByteRegion, _ after: ByteRegion, _ view: FlowView, _ simulation: Simulation
  ) -> Bool {
    guard let old = try? ModelSegment(reading: before, checkingSum: false),
      let new = try? ModelSegment(reading: after, checkingSum: false)
    else { return false }
    let leg = old.sourceIsGuest ? view.guestLeg : view.networkLeg
    let mayHide = !old.blocks.isEmpty && (simulation.maySnoop || leg.retransmissions > 0)
    let mayShowLess = simulation.mayLimit || simulation.mayShape || simulation.mayClamp
    guard new.window == old.window || mayShowLess && new.window < old.window else { return false }
    let (window, options) = ((old.isIPv6 ? 54 : 34) + 14, (old.isIPv6 ? 54 : 34) + 20)
    func isSame(_ range: Range<Int>) -> Bool {
      before.slice(from: range.lowerBound, count: range.count)
        .hasSameBytes(as: after.slice(from: range.lowerBound, count: range.count))
    }
    return isSame(0..<window) && isSame(options - 2..<options) && (mayHide || isSame(options..<old.payloadOffset))
      && isSame(old.payloadOffset..<before.count)
  }

  /// RFC 5681, equation 4 and section 3.1: never less than two segments for the threshold, and one for the window.
  private func checkLimits(_ side: SideView, _ end: ModelEnd, _ simulation: Simulation) throws(Broken) {
    // Not where a router has made segments smaller than the end knows.
    guard side.congestionWindow > 0, end.state == .established, !simulation.isNarrow else { return }
    let size = min(end.segmentSize, max(end.surestSize - (end.hasTimestamps ? 12 : 0), 1))
    if side.congestionWindow < size || side.slowStartThreshold < 2 * size {
      throw Broken("window \(side.congestionWindow), threshold \(side.slowStartThreshold): \(simulation.report)")
    }
  }

  /// Danger 47: what was sent anew fits the congestion window. What cannot wait in the buffer passes anyhow, but not while all is
  /// well; a probe (RFC 8985) is a segment more.
  private func checkWindow(
    _ side: SideView, _ old: SideView?, _ end: ModelEnd, _ simulation: Simulation
  ) throws(Broken) {
    // With too few records for all there is, more seems to be in flight.
    guard simulation.hasManyRecords else { return }
    guard let old, old.state == .accelerated, side.state == .accelerated, side.next > old.next else { return }
    guard side.phase == .open || side.phase == .loss, side.inFlight > old.inFlight else { return }
    // Segments of our own have 48 octets at the least, whatever the end asked for.
    guard side.inFlight > max(side.congestionWindow, old.inFlight) + max(end.segmentSize, 48) else { return }
    throw Broken("\(side.inFlight) octets in flight in a window of \(side.congestionWindow): \(simulation.report)")
  }

  /// Danger 47: a sender that is only ruled is shown no more than our congestion window lets go. One that was being followed already, and of
  /// which all is known.
  private func checkRule(
    _ side: SideView, _ old: SideView?, _ end: ModelEnd, _ simulation: Simulation
  ) throws(Broken) {
    guard let old, old.state == .limiting, side.state == .limiting, old.unacknowledged >= old.heldStart,
      side.phase == .open || side.phase == .loss, old.phase == side.phase, side.shownEdge > old.shownEdge,
      simulation.hasManyRecords, max(side.congestionWindow, old.congestionWindow) < CongestionControl.unlimited
    else { return }
    // A tick may have brought data that were sent, too.
    let next = SequenceNumber.later(old.next, side.next)
    let free = next + max(0, max(side.congestionWindow, old.congestionWindow) - min(side.inFlight, old.inFlight))
    let least = side.unacknowledged + max(end.segmentSize, 48)
    guard side.shownEdge > SequenceNumber.later(free, least) else { return }
    throw Broken("shown up to \(side.shownEdge), not \(free): \(simulation.report)")
  }

  /// In mode `limit` nothing is kept but a window that opens where ours does not.
  func consumed(_ frame: ByteRegion, _ simulation: Simulation) throws(Broken) {
    guard simulation.schedule.isSilent else { return }
    guard let segment = try? ModelSegment(reading: frame, checkingSum: false), segment.length == 0,
      segment.blocks.isEmpty, segment.flags & ~(ModelSegment.ece | ModelSegment.cwr) == ModelSegment.ack
    else { throw Broken("more than a window was kept: \(simulation.report)") }
  }

  /// I12: a reset passed. If it is at the place that the module expects, nothing of the connection is left.
  mutating func reset(_ segment: ModelSegment, _ before: FlowView?, _ simulation: Simulation) throws(Broken) {
    guard segment.has(ModelSegment.rst), let before, before.phase == .established, before.passReason == .none else {
      return
    }
    let side = segment.sourceIsGuest ? before.transmit : before.receive
    let number = SequenceNumber(rawValue: segment.sequence)
    guard number == side.expected || number == side.acknowledged else { return }
    isOver = true
    guard simulation.module.flowCount > 0 || simulation.module.heldChunks > 0 else { return }
    throw Broken("I12: something is left of a connection that was reset: \(simulation.report)")
  }

  /// A frame leaves the module.
  mutating func leaves(_ frame: ByteRegion, to leg: Leg, _ simulation: Simulation) {
    // What was damaged on the way says nothing of itself; the guest's are not yet complete, and whole.
    guard let segment = try? ModelSegment(reading: frame, checkingSum: leg == .guest), segment.payloadCount > 0 else {
      return
    }
    // What nobody expected and passed, the module does not know of.
    guard let view = simulation.view else { return }
    let side = leg == .guest ? view.receive : view.transmit
    guard SequenceNumber(rawValue: segment.sequence) + segment.payloadCount <= side.next else { return }
    let sender = leg == .guest ? simulation.network : simulation.guest
    let start = sender.highest + Int(Int32(bitPattern: segment.sequence &- sender.wire(sender.highest)))
    let way = leg == .network ? 0 : 1
    left[way] = max(left[way], start + segment.payloadCount)
  }

  /// I6: what passes data that wait has the number of the end of what was sent.
  mutating func passed(_ frame: ByteRegion, from leg: Leg, _ view: FlowView?, _ simulation: Simulation) throws(Broken) {
    // What is not whole passes as it is, and its receiver drops it.
    if !simulation.isCorrupt { try checkTold(frame, to: leg.opposite, view, simulation) }
    guard let view else { return }
    try checkMark(frame, from: leg, simulation)
    let side = leg == .guest ? view.transmit : view.receive
    // What is not whole passes as it is: the receiver drops it.
    guard side.isOurs, let segment = try? ModelSegment(reading: frame, checkingSum: true) else { return }
    // A reset that is not at the edge changes nothing, and is the receiver's to judge (RFC 5961).
    guard !segment.has(ModelSegment.rst) else { return }
    let beyond = Int32(bitPattern: segment.sequence &- side.next.rawValue)
    if beyond > 0 { throw Broken("I6: a segment \(beyond) beyond what was sent: \(simulation.report)") }
    let receiver = leg == .guest ? simulation.network : simulation.guest
    let sender = leg == .guest ? simulation.guest : simulation.network
    let start = sender.highest + Int(Int32(bitPattern: segment.sequence &- sender.wire(sender.highest)))
    // What begins where the receiver has nothing asks for its window.
    let isQuestion = segment.length <= 1 || Int32(bitPattern: segment.sequence &- side.unacknowledged.rawValue) <= 0
    // The one with which early acknowledgment began is the sender's own: a FIN without room in the window may be on it.
    guard (leg == .guest ? last?.transmit : last?.receive)?.isOurs == true else { return }
    if receiver.state == .established, !isQuestion, start + Int(segment.length) > receiver.edge {
      throw Broken(
        "I6: \(start)..<\(start + Int(segment.length)) passes, beyond \(receiver.edge): \(simulation.report)")
    }
  }

  /// I10: SACK blocks of the module's own are of what was sent, the first perhaps of what came twice.
  private func checkBlocks(_ segment: ModelSegment, of sender: ModelEnd, _ simulation: Simulation) throws(Broken) {
    for (place, block) in segment.blocks.enumerated() {
      let isAbove = Int32(bitPattern: block.start &- segment.acknowledgment) > 0
      let isSent = Int32(bitPattern: block.end &- sender.wire(sender.highest)) <= 0
      let isSound = Int32(bitPattern: block.end &- block.start) > 0
      guard isSound, isSent, isAbove || place == 0 else { throw Broken("I10: block \(block): \(simulation.report)") }
    }
  }

  /// I6, I10: frames of the module's own.
  mutating func emitted(
    _ frame: ByteRegion, to leg: Leg, segmentSize: Int, _ simulation: Simulation
  ) throws(Broken) {
    let segment = try ModelSegment(reading: frame, checkingSum: false)
    try checkSize(segment, segmentSize, to: leg, simulation)
    if simulation.schedule.isSilent { throw Broken("a frame in a mode that sends nothing: \(simulation.report)") }
    if isOver { throw Broken("I12: a frame for a connection that was reset: \(simulation.report)") }
    let tcp = segment.isIPv6 ? 54 : 34
    let partial = ModelSegment.fold(ModelSegment.pseudo(frame, segment.isIPv6, frame.count - tcp))
    guard frame.networkOrder(UInt16.self, at: tcp + 16) == partial else {
      throw Broken("I10: not the partial checksum")
    }
    let receiver = leg == .guest ? simulation.guest : simulation.network
    let sender = leg == .guest ? simulation.network : simulation.guest
    guard !segment.has(ModelSegment.rst) else { return }
    try checkTold(frame, to: leg, simulation.view, simulation)
    let start = sender.highest + Int(Int32(bitPattern: segment.sequence &- sender.wire(sender.highest)))
    if start + Int(segment.length) > sender.highest { throw Broken("I10: octets that the sender never sent") }
    try checkBlocks(segment, of: receiver, simulation)
    // RFC 3168 §6.1.5.
    if segment.ecn != 0, segment.payloadCount == 0 || start < left[leg == .network ? 0 : 1] {
      throw Broken("ECT on what is not new: \(start)+\(segment.payloadCount): \(simulation.report)")
    }
    guard receiver.state == .established, segment.length > 0 else { return }
    if start + Int(segment.length) > receiver.edge, segment.length > 1 {
      throw Broken("I6: \(start)..<\(start + Int(segment.length)) beyond \(receiver.edge): \(simulation.report)")
    }
  }
}

extension FlowView {
  /// Acknowledgments of either direction are worded by the module.
  var hasOurs: Bool { transmit.isOurs || receive.isOurs }
}

extension ByteRegion {
  func hasSameBytes(as other: ByteRegion) -> Bool {
    guard count == other.count else { return false }
    var place = 0
    while place + 8 <= count {
      guard load(UInt64.self, at: place) == other.load(UInt64.self, at: place) else { return false }
      place += 8
    }
    while place < count {
      guard load(UInt8.self, at: place) == other.load(UInt8.self, at: place) else { return false }
      place += 1
    }
    return true
  }
}
