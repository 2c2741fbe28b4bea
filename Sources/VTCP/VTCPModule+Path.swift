// SPDX-License-Identifier: Apache-2.0

import Arena
import CongestionControl
import LossRecovery
import Memory
import Packets
import Timekeeping
import Wire

// When a path turns out to be narrower than its ends think (dangers 40 and 41; RFC 1191, RFC 8201).

extension VTCPModule {
  /// The least that a router may ask for: RFC 1191 §7.1 and its kernels' floor, RFC 8200 §5. Less is an attack (RFC 5927 §7).
  private static func leastMTU(_ ipVersion: UInt8) -> Int { ipVersion == 4 ? 552 : 1280 }

  /// Looks whether a frame of the network is a router's word that a segment to there was too big. From then on what is held is cut
  /// smaller, and what is on its way is sent again.
  ///
  /// - Returns: `consumed` if the segment is one of ours, of what the guest has an acknowledgment for: it could not do anything about it.
  func notePathMTU(_ layout: FrameLayout, _ frame: PassingFrame, _ now: Instant) -> Verdict {
    guard frame.length <= scratch.count else { return .pass }
    let whole = scratch.slice(from: 0, count: frame.length)
    var cursor = PayloadCursor(frame, from: 0)
    guard cursor.read(into: whole) == frame.length, let notice = PacketTooBig(parsing: whole, layout: layout) else {
      return .pass
    }
    let key = FlowKey(
      guest: notice.source, network: notice.destination, vlan: FlowKey.vlan(frame.head, layout),
      ipVersion: notice.ipVersion)
    guard let flow = identification.find(key),
      store.flows[flow].phase == .established, store.flows[flow].passReason == .none
    else { return .pass }
    let index = SideIndex(flow, sender: .guest)
    let side = store[index]
    let headers = (notice.ipVersion == 4 ? 40 : 60) &+ (store.flows[flow].hasTimestamps ? 12 : 0)
    // RFC 5927 §4.1: nobody can know of it who did not see it on its way.
    guard notice.sequenceNumber >= side.unacknowledged,
      notice.sequenceNumber < SequenceNumber.later(side.next, side.highest),
      notice.nextHopMTU >= Self.leastMTU(notice.ipVersion)
    else {
      counters.implausible &+= 1
      return .pass
    }
    let size = notice.nextHopMTU &- headers
    if size < Int(side.segmentSize) { narrow(index, to: size, now) }
    return side.isOurs && notice.sequenceNumber < side.acknowledged ? .consumed : .pass
  }

  private func narrow(_ index: SideIndex, to size: Int, _ now: Instant) {
    counters.narrowedPaths &+= 1
    store[index].segmentSize = UInt16(size)
    store[index].flags.insert(.narrow)
    let sending = store[index].sending
    guard !sending.isNone else { return }
    store.sendings[sending].recovery.segmentSizeChanged(
      to: size, isLost: recovers(index), in: store.transmissions, now: now)
    schedule(index.flow, now)
  }

  /// Whether the frame's segments are as small as the path wants them. If not, what is kept of them is cut anew.
  func fitsPath(_ packet: Packet, _ side: FlowSide) -> Bool {
    guard side.flags.contains(.narrow) else { return true }
    let size = packet.frame.segmentSize == 0 ? packet.segment.payloadCount : Int(packet.frame.segmentSize)
    return size <= Int(side.segmentSize)
  }
}
