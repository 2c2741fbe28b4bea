// SPDX-License-Identifier: Apache-2.0

import Arena
import Memory
import Packets
import TCPPolicy
import Timekeeping
import Wire

// The observer (FIG. 15, 1530): what connections there are, and what their ends agreed on.

extension FlowKey {
  /// - Parameter packet: the guest's end is its source if it came from the guest.
  init(_ packet: Packet) {
    let head = packet.frame.head
    guard packet.layout.ipVersion != 4 else {
      self.init(
        addresses: head.networkOrder(at: packet.layout.networkOffset &+ 12),
        ports: head.networkOrder(at: packet.layout.transportOffset), isFromGuest: packet.leg == .guest,
        vlan: packet.layout.vlanTagCount == 0 ? 0 : Self.vlan(head, packet.layout))
      return
    }
    let source = Endpoint(sourceOf: packet.segment, in: head, packet.layout)
    let destination = Endpoint(destinationOf: packet.segment, in: head, packet.layout)
    let isFromGuest = packet.leg == .guest
    self.init(
      guest: isFromGuest ? source : destination, network: isFromGuest ? destination : source,
      vlan: Self.vlan(head, packet.layout), ipVersion: packet.layout.ipVersion)
  }

  /// Twelve bits of each tag, and how many there are.
  static func vlan(_ head: ByteRegion, _ layout: FrameLayout) -> UInt32 {
    let count = UInt32(layout.vlanTagCount)
    guard count > 0 else { return 0 }
    let outer = UInt32(head.networkOrder(UInt16.self, at: 14) & 0xfff)
    let inner = count > 1 ? UInt32(head.networkOrder(UInt16.self, at: 18) & 0xfff) : 0
    return count &<< 24 | outer &<< 12 | inner
  }
}

extension VTCPModule {
  /// Follows a new connection, if there is room for it: its first SYN, or SYN-ACK if the SYN went another way. What becomes of that.
  @inline(never)
  func begin(_ key: FlowKey, _ packet: Packet, _ now: Instant) -> Verdict {
    // Without the SYN the options that count are not known: passed for ever (danger 12).
    guard !packet.segment.flags.contains(.ack), !packet.segment.flags.contains(.rst) else { return .pass }
    let dscp = packet.segment.trafficClass >> 2
    let policy = policies.classify(key, opener: packet.leg, dscp: dscp)
    // Nothing is followed of what is to be left alone.
    guard !policies.isOff(policy.configuration) else {
      counters.untouchableFlows &+= 1
      return .pass
    }
    guard let flow = admit(now) else {
      counters.refusedFlows &+= 1
      return .pass
    }
    grownCount = 0
    var packet = overrideSYN(packet, policies.overrides(policy.configuration))
    let offering = offeringECN(packet, policy.configuration)
    packet = offering ?? packet
    let template = SegmentTemplate(copying: packet.frame.head, packet.layout, packet.segment)
    store.flows[flow] = Flow(
      key: key, fromGuest: template, fromNetwork: template, opener: packet.leg, dscp: dscp,
      lastSeen: CoarseInstant(now))
    assign(policy, to: flow)
    store.flows[flow].bridgesECN = offering != nil
    store[SideIndex(flow, sender: .guest)] = FlowSide()
    store[SideIndex(flow, sender: .network)] = FlowSide()
    noteSYN(flow, packet, now)
    // Last of all: what is not in the index is not there for who takes over.
    keepOrder()
    guard identification.insert(flow, hash: identification.hash(key)) else {
      counters.refusedFlows &+= 1
      if offering != nil { hideAnswer(packet) }
      store.flows.free(flow)
      return passedSYN
    }
    counters.flows &+= 1
    store.append(flow, to: .age)
    timers.cancel(flow)
    for sender in [Leg.guest, .network] { passingTimes.cancel(SideIndex(flow, sender: sender)) }
    touch(flow)
    return passedSYN
  }

  /// Connections that a SYN may have looked at to find one that gives way.
  private static var mostLookedAt: Int { 8 }

  /// A record. If there is none left, or policy allows no more, a connection gives way that loses nothing by it. One that must stay goes to the
  /// end of the list: it does not stand in the way of the next SYN.
  private func admit(_ now: Instant) -> RecordIndex? {
    if let flow = allocate() { return flow }
    for _ in 0..<Self.mostLookedAt {
      let oldest = store.first(of: .age)
      guard !oldest.isNone else { return nil }
      guard mayBeForgotten(oldest, now) else {
        store.append(oldest, to: .age)
        continue
      }
      forget(oldest)
      // Another policy may allow fewer than there are.
      if let flow = allocate() { return flow }
    }
    return nil
  }

  private func allocate() -> RecordIndex? { flowCount < policies.flowLimit ? store.flows.allocate() : nil }

  /// Whether the connection never got beyond its handshake, or is idle and goes on without us as well.
  private func mayBeForgotten(_ flow: RecordIndex, _ now: Instant) -> Bool {
    guard store.flows[flow].phase == .established else { return true }
    // The network's end goes by the echoes of marks that the guest knows nothing of.
    var isWider = store.flows[flow].bridgesECN
    for sender in [Leg.guest, .network] {
      let side = store[SideIndex(flow, sender: sender)]
      guard side.isOurs else { continue }
      guard side.owned == 0, side.backlog == 0, !side.buffer.hasLater, !side.finWaits else { return false }
      if side.shownEdge > side.receiverEdge { isWider = true }
    }
    // Who was shown more than the receiver takes will send some of it in vain, and who is not told of marks too fast: only for who may be gone
    // altogether.
    return now - store.flows[flow].lastSeen.instant > .seconds(isWider ? 600 : 60)
  }

  /// A SYN of a connection that is known.
  func observeSYN(_ flow: RecordIndex, _ packet: Packet, _ now: Instant) -> Verdict {
    let known = packet.leg == .guest ? store.flows[flow].guestSYN : store.flows[flow].networkSYN
    let facts = facts(packet, after: store.flows[flow].phase == .established ? store.flows[flow].successor : known)
    if store.flows[flow].phase == .established {
      return observeLateSYN(flow, packet, known, facts, now)
    }
    if known.isKnown, known.sequenceNumber == facts.sequenceNumber, !known.agrees(with: facts) {
      // Sent again with other options: which of the two the other end saw can't be known.
      giveUp(flow, .malformed)
      return .pass
    }
    noteSYN(flow, packet, now)
    if packet.segment.flags.contains(.ack) { _ = observeHandshake(flow, packet, now) }
    return .pass
  }

  /// RFC 5961 §4: a SYN within a connection changes nothing, the receiver asks back. RFC 6191: a new connection of the same
  /// ends may follow the old one; that is known when the other end answers the SYN.
  private func observeLateSYN(
    _ flow: RecordIndex, _ packet: Packet, _ known: SYNFacts, _ facts: SYNFacts, _ now: Instant
  ) -> Verdict {
    guard known.sequenceNumber != facts.sequenceNumber else { return .pass }
    if packet.segment.flags.contains(.ack) {
      let successor = store.flows[flow].successor
      guard successor.isKnown, store.flows[flow].successorLeg == packet.leg.opposite,
        packet.segment.acknowledgmentNumber == successor.sequenceNumber + 1
      else { return .pass }
      restart(flow, with: successor, from: packet.leg.opposite, now)
      noteSYN(flow, packet, now)
      return .pass
    }
    store.flows[flow].successor = facts
    store.flows[flow].successorLeg = packet.leg
    return .pass
  }

  /// The old connection is over, the ends have said so.
  private func restart(_ flow: RecordIndex, with facts: SYNFacts, from leg: Leg, _ now: Instant) {
    drop(flow)
    for sender in [Leg.guest, .network] {
      let index = SideIndex(flow, sender: sender)
      let roundTrip = store[index].roundTrip
      store[index] = FlowSide()
      store[index].roundTrip = roundTrip
    }
    // Nobody knows when it was seen.
    store[SideIndex(flow, sender: leg)].flags.insert(.synRepeated)
    store.flows[flow].phase = .synAckSeen
    store.flows[flow].opener = leg
    store.flows[flow].guestSYN = leg == .guest ? facts : SYNFacts()
    store.flows[flow].networkSYN = leg == .network ? facts : SYNFacts()
    store.flows[flow].successor = SYNFacts()
    store.flows[flow].synAcknowledged = 0
    store.flows[flow].bridgesECN = false
    // Its life begins anew, and another end may have begun it.
    classify(flow, now)
  }

  /// What a SYN says as it leaves here.
  private func facts(_ packet: Packet, after known: SYNFacts) -> SYNFacts {
    var facts = SYNFacts(packet.segment)
    facts.takenOut = takenOut
    if known.isKnown, known.sequenceNumber == facts.sequenceNumber, known.saysECN { facts.saysECN = true }
    return facts
  }

  private func noteSYN(_ flow: RecordIndex, _ packet: Packet, _ now: Instant) {
    let known = packet.leg == .guest ? store.flows[flow].guestSYN : store.flows[flow].networkSYN
    let facts = facts(packet, after: known)
    timeSYN(flow, packet, after: known, now)
    let template = SegmentTemplate(copying: packet.frame.head, packet.layout, packet.segment)
    if packet.leg == .guest {
      store.flows[flow].guestSYN = facts
      store.flows[flow].fromGuest = template
    } else {
      store.flows[flow].networkSYN = facts
      store.flows[flow].fromNetwork = template
    }
    if packet.segment.flags.contains(.ack) { store.flows[flow].phase = .synAckSeen }
    let reason = PassReason(of: packet)
    if reason != .none { giveUp(flow, reason) }
    if acceptsStripped(flow, packet) { giveUp(flow, .malformed) }
  }

  /// Follows the handshake by a packet with ACK. True once both SYNs are known and acknowledged.
  func observeHandshake(_ flow: RecordIndex, _ packet: Packet, _ now: Instant) -> Bool {
    let other = packet.leg == .guest ? store.flows[flow].networkSYN : store.flows[flow].guestSYN
    guard other.isKnown else { return false }
    // It acknowledges the SYN, and at the most what came with it, or what came after.
    let beyond = packet.segment.acknowledgmentNumber - (other.sequenceNumber + 1)
    guard beyond >= 0, beyond <= 1 &<< 30 else { return false }
    let bit: UInt8 = 1 &<< packet.leg.rawValue
    if store.flows[flow].synAcknowledged & bit == 0 { timeAnswer(SideIndex(flow, receiver: packet.leg), packet, now) }
    store.flows[flow].synAcknowledged |= bit
    guard store.flows[flow].synAcknowledged == 3 else { return false }
    establish(flow, now)
    return true
  }

  private func establish(_ flow: RecordIndex, _ now: Instant) {
    let guest = store.flows[flow].guestSYN
    let network = store.flows[flow].networkSYN
    store.flows[flow].phase = .established
    let kinds = guest.kinds.intersection(network.kinds)
    store.flows[flow].hasTimestamps = kinds.contains(.timestamps)
    store[SideIndex(flow, sender: .guest)].begin(sender: guest, receiver: network, kinds, now)
    store[SideIndex(flow, sender: .network)].begin(sender: network, receiver: guest, kinds, now)
    store.flows[flow].established = now
    agreeOnECN(flow)
    beginPhases(flow, now)
  }

  /// From here on the connection's frames pass as they are.
  private func giveUp(_ flow: RecordIndex, _ reason: PassReason) {
    if store.flows[flow].passReason == .none { counters.untouchableFlows &+= 1 }
    store.flows[flow].passReason = reason
  }
}

extension PassReason {
  /// What in a SYN forbids to touch its connection.
  init(of packet: Packet) {
    let kinds = packet.segment.options.kinds
    self = .none
    if packet.segment.hasIPv4Options || packet.layout.hasExtensionHeaders { self = .ipOptions }
    if kinds.contains(.malformed) { self = .malformed }
    if !kinds.isDisjoint(with: [.md5, .authentication]) { self = .authenticated }
    if kinds.contains(.multipath) { self = .multipath }
    // RFC 9768 §3.1.1: AE, CWR and ECE all set in the SYN; the answer says which of them it understood.
    let isOffer = !packet.segment.flags.contains(.ack) && packet.segment.flags.contains([.ae, .cwr, .ece])
    if isOffer || kinds.contains(.accurateECN) { self = .accurateECN }
  }
}
