// SPDX-License-Identifier: Apache-2.0

import Arena
import LossRecovery
import Memory
import Packets
import TCPPolicy
import Wire

// What is taken from a frame with data: the octets, and what its header says of them.

extension VTCPModule {
  /// Appends the payload's new octets. False, and nothing is held of it, for want of room or with a wrong checksum.
  func append(_ index: SideIndex, _ packet: Packet) -> Bool {
    let held = store[index].buffer.count
    let skipped = store[index].buffer.end - packet.start
    let added = packet.segment.payloadCount &- skipped
    guard skipped >= 0, added > 0, held &+ added <= mostHeld(index) else { return false }
    var cursor = PayloadCursor(packet.frame, from: packet.segment.payloadOffset)
    var checksum = TransportChecksum(packet.frame.head, packet.layout, packet.segment)
    let isTrusted = packet.frame.needsChecksum || packet.frame.isVerified
    store.beginChange(index)
    defer { store.endChange() }
    let isCopied = store[index].buffer.append(
      &cursor, skipping: skipped, count: added, checksum: &checksum, sums: !isTrusted, scratch: scratch,
      in: store.chunks)
    guard isCopied, isTrusted || checksum.isValid else {
      if isCopied { counters.badChecksums &+= 1 }
      store[index].buffer.truncate(to: held, in: store.chunks)
      return false
    }
    if packet.segment.flags.contains(.psh) { store[index].flags.insert(.push) }
    noteHeld(index)
    return true
  }

  func bufferSize(_ index: SideIndex) -> Int {
    let configuration = policy(index).configuration
    return Int(index.isTransmit ? configuration.transmitBufferSize : configuration.receiveBufferSize)
  }

  /// Octets that the side may hold: its size, and besides what the sender may send since it was shown an edge beyond that, by the
  /// receiver before we took over, or by a window field, which counts in units. To drop them would cost more than to hold
  /// them, while the pool has room for others.
  private func mostHeld(_ index: SideIndex) -> Int {
    let side = store[index]
    let size = bufferSize(index)
    let unit = 1 &<< Int(side.receiverScale)
    let promised = side.shownEdge - side.buffer.start
    let most = promised <= size ? size &+ unit : min(promised, size &+ shareOfPool(index) / 2) &+ unit
    // A gap before what is stored is filled in any case.
    return side.buffer.hasLater ? max(most, side.buffer.laterEnd - side.buffer.start) : most
  }

  func noteFIN(_ index: SideIndex, _ packet: Packet) {
    guard packet.hasFIN, !store[index].flags.contains(.finSeen) else { return }
    store[index].finSequence = packet.dataEnd
    // Whoever takes over believes the number if the flag is there.
    keepOrder()
    store[index].flags.insert(.finSeen)
  }

  /// RFC 3168 §6.1.3, in the receiver's place (danger 22).
  func noteCongestion(_ index: SideIndex, _ packet: Packet) {
    let isBridged = store.flows[index.flow].bridgesECN
    // A guest that has not agreed to ECN marks nothing, and its end of it can't be echoed to.
    guard isBridged ? !index.isTransmit : store[index].isOurs else { return }
    if packet.segment.flags.contains(.cwr) {
      store[index].flags.remove(.echoesCongestion)
      // Whose own control it is that rules, says so itself (`passOnEcho`).
      if !isBridged, store[index].flags.contains(.usesECN), !rulesCongestion(index) {
        store[index].flags.insert(.windowReduced)
      }
    }
    guard packet.segment.ecnCodepoint == .congestionExperienced else { return }
    store[index].flags.insert(store[index].isOurs ? [.echoesCongestion, .acknowledgmentDue] : .echoesCongestion)
  }
}
