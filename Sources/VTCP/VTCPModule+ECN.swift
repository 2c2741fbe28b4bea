// SPDX-License-Identifier: Apache-2.0

import Arena
import CongestionControl
import LossRecovery
import Packets
import TCPPolicy
import Wire

// ECN (RFC 3168) in the place of a guest that does not use it, as policy may want (R51; AC/DC, vCC: He et al. and Cronkite-Ratcliff et al.,
// SIGCOMM 2016). On the network's leg it is an ECN connection, on the guest's it is none.
//
// Marks on what the guest sends come back as echoes: they are for our congestion control, and only what that rules says ECT; what the guest's
// own lets go does not, since the guest hears of no echo. Marks on what the guest gets are echoed in all that passes or is sent to the
// network, whoever acknowledges, since the network's end goes by them.

extension VTCPModule {
  // MARK: SYNs

  /// A guest's first SYN, with an offer if it makes none itself.
  func offeringECN(_ packet: Packet, _ number: UInt8) -> Packet? {
    guard packet.leg == .guest, !isQuiescing, policies.offersECN(number), isSilent(packet) else { return nil }
    return changed(packet, inserting: [.ece, .cwr])
  }

  /// A SYN of a connection that is known, with the offer or the answer that the guest does not make.
  ///
  /// A SYN that is sent again goes as it is: the offer may be what it was lost for (RFC 3168 §6.1.1.1). Of a connection that stands it may be
  /// the next one's, and what it offers is not known to be for us.
  func offerECN(_ packet: Packet, of flow: RecordIndex) -> Packet {
    let record = store.flows[flow]
    guard packet.leg == .guest, record.passReason == .none else { return packet }
    let offers = !isQuiescing && record.phase != .established && firstOffersECN(of: flow)
    let isAgain = record.guestSYN.isKnown && record.guestSYN.sequenceNumber == packet.segment.sequenceNumber
    guard packet.segment.flags.contains(.ack) else {
      guard record.phase != .established, !isAgain else { return packet }
      store.flows[flow].bridgesECN = offers && isSilent(packet)
      return offers && isSilent(packet) ? changed(packet, inserting: [.ece, .cwr]) : packet
    }
    // What the first answer has refused is not accepted by one that is sent again.
    guard record.bridgesECN || offers && !isAgain, record.networkSYN.isKnown, record.networkSYN.offersECN,
      isSilent(packet)
    else {
      return packet
    }
    store.flows[flow].bridgesECN = true
    return changed(packet, inserting: .ece)
  }

  /// Whether a SYN-ACK answers an offer that the guest has not made.
  func isAnswerToUs(_ packet: Packet, of flow: RecordIndex) -> Bool {
    packet.leg == .network && store.flows[flow].bridgesECN && packet.segment.flags.contains(.ack)
      && packet.segment.options.kinds.isDisjoint(with: [.malformed, .md5, .authentication, .multipath])
  }

  /// Shows the guest nothing of it.
  func hideAnswer(_ packet: Packet) {
    TCPHeaderPatch(packet.frame.head, packet.segment, checksumIsPartial: packet.frame.needsChecksum)
      .changeFlags(inserting: [], removing: [.ae, .ece, .cwr])
  }

  /// A SYN that says nothing of ECN, of a connection that we may touch.
  private func isSilent(_ packet: Packet) -> Bool {
    packet.segment.flags.isDisjoint(with: [.ae, .ece, .cwr]) && PassReason(of: packet) == .none
  }

  private func changed(_ packet: Packet, inserting flags: TCPFlags) -> Packet {
    TCPHeaderPatch(packet.frame.head, packet.segment, checksumIsPartial: packet.frame.needsChecksum)
      .changeFlags(inserting: flags, removing: [])
    return reread(packet)
  }

  /// Both SYNs are known and acknowledged.
  func agreeOnECN(_ flow: RecordIndex) {
    let (guest, network) = (store.flows[flow].guestSYN.offersECN, store.flows[flow].networkSYN.offersECN)
    // Refused, or not answered.
    if !network { store.flows[flow].bridgesECN = false }
    // The guest's may be a SYN without the offer, sent again: then nothing may be marked, but marks are still to be echoed (RFC 3168 §6.1.1).
    guard guest, network else { return }
    store[SideIndex(flow, sender: .guest)].flags.insert(.usesECN)
    guard !store.flows[flow].bridgesECN else { return }
    store[SideIndex(flow, sender: .network)].flags.insert(.usesECN)
  }

  // MARK: Packets

  /// A packet that passes without being looked at further, as either end is to see it.
  func bridgeECN(_ packet: Packet, _ data: SideIndex) {
    guard !packet.segment.flags.contains(.syn), store.flows[data.flow].passReason != .authenticated else { return }
    noteCongestion(data, packet)
    let patch = TCPHeaderPatch(packet.frame.head, packet.segment, checksumIsPartial: packet.frame.needsChecksum)
    bridgeECN(packet, patch, data)
  }

  /// What the packet says of ECN, as its receiver is to see it. Its marks have been noted.
  func bridgeECN(_ packet: Packet, _ patch: TCPHeaderPatch, _ data: SideIndex) {
    var flags: TCPFlags = []
    var isCapable = false
    if data.isTransmit {
      let isNew = passesNew && packet.segment.payloadCount > 0
      if packet.segment.flags.contains(.ack), store[data.opposite].flags.contains(.echoesCongestion) { flags = .ece }
      if isNew, store[data].flags.contains(.windowReduced) {
        flags.insert(.cwr)
        passed.carriesReduction = true
        store[data].flags.remove(.windowReduced)
      }
      isCapable = isNew && store[data].flags.contains(.usesECN) && rulesCongestion(data)
    }
    patch.changeFlags(inserting: flags, removing: [.ece, .cwr])
    NetworkHeaderPatch(packet.frame.head, packet.layout).setECN(isCapable ? .capable0 : .notCapable)
  }

  /// Whether what is sent to the receiver keeps to a window of ours, so that a mark on it is answered: what is sent by us, or by a sender that
  /// is shown our window.
  func rulesCongestion(_ index: SideIndex) -> Bool {
    let side = store[index]
    guard !side.sending.isNone, store.sendings[side.sending].recovery.congestion.algorithm != .none else {
      return false
    }
    return side.isOurs || side.flags.contains(.senderLimited) && limitsSender(index)
  }

  /// The receiver's acknowledgment echoes a mark; a sender whose ECN it is not does not hear of it.
  ///
  /// - Returns: whether our congestion control is to hear of it. Where it rules nothing, nothing more is marked; the receiver is told by CWR
  ///   to be still.
  func takesEcho(_ index: SideIndex, _ packet: Packet) -> Bool {
    guard store[index].flags.contains(.usesECN), packet.segment.flags.contains(.ece) else { return false }
    guard !store[index].isOurs else {
      if store.flows[index.flow].bridgesECN || rulesCongestion(index) { return true }
      passOnEcho(index, packet)
      return false
    }
    guard store.flows[index.flow].bridgesECN else { return store[index].state == .limiting }
    if limitsSender(index) { return true }
    store[index].flags.insert(.windowReduced)
    return false
  }

  /// With the algorithm `none` nothing here slows down for a mark, so its sender is to: it is told in the receiver's place until it says CWR, which
  /// goes on to the receiver (`noteCongestion`). Until that is there, the receiver goes on about the same mark.
  private func passOnEcho(_ index: SideIndex, _ packet: Packet) {
    let side = store[index]
    guard side.flags.isDisjoint(with: [.echoesCongestion, .windowReduced]) else { return }
    if !side.sending.isNone {
      let told = store.sendings[side.sending].reductionEnd
      // A number from long ago seems to be ahead.
      let isOnItsWay = packet.segment.acknowledgmentNumber < told && told <= .later(side.next, side.highest)
      guard !isOnItsWay else { return }
    }
    store[index].flags.insert([.echoesCongestion, .acknowledgmentDue])
  }

  /// Data that end there went to the receiver with CWR.
  func reductionWent(_ index: SideIndex, to end: SequenceNumber) {
    store[index].flags.remove(.windowReduced)
    guard !store[index].sending.isNone else { return }
    store.sendings[store[index].sending].reductionEnd = end
  }

  /// The frame that `arrive` let pass says CWR, and the guest's did not: a large one is to be cut so that only its first segment does
  /// (VIRTIO_NET_HDR_GSO_ECN).
  public var passedReduction: Bool { passed.carriesReduction }
}
