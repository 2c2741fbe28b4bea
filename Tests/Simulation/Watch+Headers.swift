// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import TCPPolicy
import VTCP
import Wire

// What policy changes in headers (R51): that it is done, and nothing else, and that the ends agree on what they have in common.

extension Watch {
  /// A SYN of a connection that is followed: each field is as it was, or as policy says; and as policy says if nothing forbids it. ECN is
  /// for the ends to judge.
  func checkSYN(_ before: ByteRegion, _ after: ByteRegion, _ view: FlowView, _ simulation: Simulation) throws(Broken) {
    // One with a wrong checksum passes as it is.
    guard !simulation.isCorrupt else { return }
    let old = try ModelSegment(reading: before, checkingSum: false)
    let new = try ModelSegment(reading: after, checkingSum: false)
    let overrides = simulation.moduleConfiguration.flow.overrides
    var wanted = old
    if overrides.maximumSegmentSize > 0, let size = old.maximumSegmentSize {
      wanted.maximumSegmentSize = min(size, overrides.maximumSegmentSize)
    }
    if overrides.windowClamp > 0 { wanted.window = min(old.window, UInt16(clamping: max(overrides.windowClamp, 1072))) }
    if !old.has(ModelSegment.ack) { Self.strip(&wanted, overrides) }
    var others = view.passReason == .none ? [] : [old]
    if old.maximumSegmentSize == nil, overrides.addedOptions.contains(.maximumSegmentSize) {
      // A header of 60 octets has room only for what takes the place of padding.
      if old.payloadOffset == (old.isIPv6 ? 54 : 34) + 60 { others.append(wanted) }
      wanted.maximumSegmentSize = overrides.maximumSegmentSize > 0 ? overrides.maximumSegmentSize : simulation.linkSize
    }
    let isRight = ([wanted] + others).contains { isSame(new, $0) }
    let isAdded = old.maximumSegmentSize == nil && new.maximumSegmentSize != nil
    let flags = new.flags ^ old.flags
    guard isRight, flags & ~(ModelSegment.ece | ModelSegment.cwr) == 0, old.ecn == new.ecn,
      old.sequence == new.sequence, old.acknowledgment == new.acknowledgment, old.payloadCount == new.payloadCount,
      new.payloadOffset == old.payloadOffset || isAdded && new.payloadOffset == old.payloadOffset + 4
    else { throw Broken("a SYN is \(new), not \(wanted): \(simulation.report)") }
  }

  private static func strip(_ segment: inout ModelSegment, _ overrides: HeaderOverrides) {
    for (name, kinds) in HeaderOverrides.strippable where overrides.strippedOptions.contains(kinds) {
      switch name {
      case "timestamps": segment.timestamp = nil
      case "windowScale": segment.windowScale = nil
      case "sackPermitted": segment.permitsSACK = false
      case "fastOpen": if segment.extraOptions.first == 34 { segment.extraOptions.removeFirst(2) }
      default: if let place = segment.extraOptions.firstIndex(of: 253) { segment.extraOptions.removeSubrange(place...) }
      }
    }
  }

  private func isSame(_ one: ModelSegment, _ other: ModelSegment) -> Bool {
    one.maximumSegmentSize == other.maximumSegmentSize && one.window == other.window
      && one.windowScale == other.windowScale && one.permitsSACK == other.permitsSACK
      && one.timestamp?.value == other.timestamp?.value && one.extraOptions == other.extraOptions
  }

  /// The end on that leg is shown no window beyond the clamp, unless it was shown it before; a window counts in units.
  mutating func checkTold(
    _ frame: ByteRegion, to leg: Leg, _ view: FlowView?, _ simulation: Simulation
  ) throws(Broken) {
    guard let segment = try? ModelSegment(reading: frame, checkingSum: false), !segment.has(ModelSegment.rst) else {
      return
    }
    let place = Int(leg.rawValue)
    let (sender, receiver) =
      leg == .guest ? (simulation.guest, simulation.network) : (simulation.network, simulation.guest)
    guard !segment.has(ModelSegment.syn) else { return told[place] = max(told[place], 1 + Int(segment.window)) }
    guard segment.has(ModelSegment.ack) else { return }
    let number =
      sender.highest + Int(Int32(bitPattern: segment.acknowledgment &- sender.wire(sender.highest)))
    let edge = number + Int(segment.window) << receiver.scale
    let clamp = view.map { simulation.configuration($0).overrides.windowClamp } ?? 0
    guard clamp > 0, let view, view.phase == .established, view.passReason == .none else {
      return told[place] = max(told[place], edge)
    }
    // An acknowledgment from before may come later.
    let side = leg == .guest ? view.transmit : view.receive
    let known = sender.highest + Int(Int32(bitPattern: side.acknowledged.rawValue &- sender.wire(sender.highest)))
    let most = max(number, known) + max(Int(clamp), 1072, 1 << receiver.scale)
    guard edge < max(told[place], most) + 1 << receiver.scale else {
      throw Broken("a window up to \(edge), beyond \(max(told[place], most)): \(simulation.report)")
    }
    told[place] = max(told[place], min(edge, most))
  }

  /// The module's segments are no larger than what the receiver's SYN said to the sender, or 48 octets.
  func checkSize(_ segment: ModelSegment, _ size: Int, to leg: Leg, _ simulation: Simulation) throws(Broken) {
    let sender = leg == .guest ? simulation.network : simulation.guest
    guard sender.state == .established, segment.payloadCount > 0 else { return }
    let largest = max(sender.toldSize, 48) - (sender.hasTimestamps ? 12 : 0)
    let octets = size > 0 ? size : segment.payloadCount
    guard octets > largest else { return }
    throw Broken("a segment of \(octets) octets of \(largest): \(simulation.report)")
  }

  /// What both ends go by is the same to both; ECN but where it is spoken in the guest's place.
  func checkAgreement(_ simulation: Simulation) throws(Broken) {
    let (guest, network) = (simulation.guest, simulation.network)
    guard guest.state == .established, network.state == .established else { return }
    guard guest.hasTimestamps == network.hasTimestamps, guest.usesSACK == network.usesSACK,
      guest.peerScaled == network.peerScaled
    else { throw Broken("the ends do not agree on options: \(simulation.report)") }
    guard hasBridged ? guest.usesECN : guest.usesECN != network.usesECN else { return }
    throw Broken("the ends do not agree on ECN: \(guest.usesECN), \(network.usesECN): \(simulation.report)")
  }
}
