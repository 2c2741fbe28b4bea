// SPDX-License-Identifier: Apache-2.0

public import Memory
import Packets
import TCPPolicy
import Wire

// Options that SYNs get because a rule says so, in any mode (R51): in the place of padding, or in a frame that grows. That is put together anew, in
// memory of ours, which has room for headers and little more, as the memory has that the datapath copies heads to.

extension VTCPModule {
  /// What every Ethernet link takes (RFC 894). Bytes behind the Ethernet header.
  static var ethernetMTU: Int { 1500 }

  /// The frame that goes on in the place of the one that `arrive` said it of, until the next one comes.
  public var replacement: ByteRegion { grown.slice(from: 0, count: grownCount) }

  /// The verdict on a SYN that goes on.
  var passedSYN: Verdict { grownCount > 0 ? .replaced : .pass }

  /// The SYN with a Maximum Segment Size, if it has none. Always the same for the same SYN.
  func addSegmentSize(_ packet: Packet, _ overrides: HeaderOverrides) -> Packet {
    guard !packet.segment.options.kinds.contains(.maximumSegmentSize), !packet.segment.flags.contains(.rst) else {
      return packet
    }
    let size =
      overrides.maximumSegmentSize > 0 ? overrides.maximumSegmentSize : segmentSizeOfLink(packet.layout.ipVersion)
    let frame = packet.frame
    let patch = TCPHeaderPatch(frame.head, packet.segment, checksumIsPartial: frame.needsChecksum)
    guard !patch.addMaximumSegmentSize(size) else { return reread(packet) }
    // With so few bytes it is within any MTU afterwards as well.
    guard frame.length == frame.head.count, frame.segmentSize == 0,
      let count = OptionInsertion.copy(
        frame.head, packet.layout, packet.segment, checksumIsPartial: frame.needsChecksum, adding: size, into: grown),
      let larger = grownPacket(packet, count)
    else { return packet }
    grownCount = count
    return larger
  }

  /// What a link of the NIC's MTU takes, for either end: what lies behind the network is not known. No more than by Ethernet's usual MTU, as
  /// beyond it not all on a link need take the same; no less than it would be without the option (RFC 9293 §3.7.1), IP options not counted
  /// (RFC 6691 §2).
  private func segmentSizeOfLink(_ ipVersion: UInt8) -> UInt16 {
    let headers = ipVersion == 4 ? 40 : 60
    let least = ipVersion == 4 ? 536 : 1220
    return UInt16(clamping: max(min(linkMTU, Self.ethernetMTU) &- headers, least))
  }

  /// The packet as it lies in `grown`.
  private func grownPacket(_ packet: Packet, _ count: Int) -> Packet? {
    let head = grown.slice(from: 0, count: count)
    let old = packet.frame
    var frame = PassingFrame(
      head: head, length: count, vectors: old.vectors, firstVector: old.vectorsEnd, vectorsEnd: old.vectorsEnd)
    frame.needsChecksum = old.needsChecksum
    frame.isVerified = old.isVerified
    guard let layout = FrameLayout(parsing: head, frameLength: count),
      let segment = TCPSegment(parsing: head, layout: layout, frameLength: count, isLarge: false)
    else { return nil }
    return Packet(frame: frame, layout: layout, segment: segment, leg: packet.leg)
  }
}
