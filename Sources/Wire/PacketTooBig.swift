// SPDX-License-Identifier: Apache-2.0

public import Memory

/// What a router says of a TCP segment that was too big for the next hop: "fragmentation needed and DF set" of ICMP (RFC 792,
/// RFC 1191 §4), Packet Too Big of ICMPv6 (RFC 4443 §3.2).
public struct PacketTooBig: BitwiseCopyable, Equatable, Sendable {
  /// Bytes of the largest packet, IP header and all, that would have gone on. 0 from a router older than RFC 1191.
  public let nextHopMTU: Int
  public let ipVersion: UInt8
  /// Of the segment that the router threw away.
  public let source: Endpoint
  public let destination: Endpoint
  public let sequenceNumber: SequenceNumber

  /// - Parameters:
  ///   - frame: the whole frame.
  ///   - layout: what was parsed of it.
  /// - Returns: nil for any other frame, and for one whose ICMP checksum is wrong.
  public init?(parsing frame: ByteRegion, layout: FrameLayout) {
    let start = layout.transportOffset
    guard start > 0, !layout.isFragment, frame.count >= start &+ 8 else { return nil }
    let network = layout.networkOffset
    let isIPv4 = layout.ipVersion == 4
    let length = Int(frame.networkOrder(UInt16.self, at: network &+ (isIPv4 ? 2 : 4)))
    let end = network &+ length &+ (isIPv4 ? 0 : 40)
    guard end >= start &+ 8, end <= frame.count else { return nil }
    let message = frame.slice(from: start, count: end &- start)
    let kind: UInt16 = message.networkOrder(at: 0)
    var sum = InternetChecksum()
    if isIPv4 {
      guard layout.transportProtocol == IPProtocol.icmp, kind == 0x0304 else { return nil }
      nextHopMTU = Int(message.networkOrder(UInt16.self, at: 6))
    } else {
      guard layout.transportProtocol == IPProtocol.icmpIPv6, kind &>> 8 == 2 else { return nil }
      nextHopMTU = Int(message.networkOrder(UInt32.self, at: 4))
      sum.addPseudoHeader(
        source: frame.slice(from: network &+ 8, count: 16), destination: frame.slice(from: network &+ 24, count: 16),
        transportProtocol: IPProtocol.icmpIPv6, length: UInt32(truncatingIfNeeded: message.count))
    }
    sum.add(message)
    guard sum.checksum == 0 else { return nil }
    ipVersion = layout.ipVersion
    // The begin of the segment's packet: an IP header, and eight bytes of TCP's at the least.
    let quoted = message.suffix(from: 8)
    let header = isIPv4 ? 20 : 40
    guard quoted.count >= header &+ 8, quoted.load(UInt8.self, at: 0) &>> 4 == ipVersion else { return nil }
    let tcp: Int
    if isIPv4 {
      tcp = Int(quoted.load(UInt8.self, at: 0) & 15) &* 4
      guard tcp >= 20, quoted.count >= tcp &+ 8, quoted.load(UInt8.self, at: 9) == IPProtocol.tcp,
        quoted.networkOrder(UInt16.self, at: 6) & 0x1fff == 0
      else { return nil }
    } else {
      tcp = 40
      guard quoted.load(UInt8.self, at: 6) == IPProtocol.tcp else { return nil }
    }
    source = Self.endpoint(quoted, address: isIPv4 ? 12 : 8, isIPv4: isIPv4, port: tcp)
    destination = Self.endpoint(quoted, address: isIPv4 ? 16 : 24, isIPv4: isIPv4, port: tcp &+ 2)
    sequenceNumber = SequenceNumber(rawValue: quoted.networkOrder(at: tcp &+ 4))
  }

  private static func endpoint(_ bytes: ByteRegion, address: Int, isIPv4: Bool, port: Int) -> Endpoint {
    let port: UInt16 = bytes.networkOrder(at: port)
    guard !isIPv4 else {
      return Endpoint(
        addressHigh: 0, addressLow: UInt64(bytes.networkOrder(UInt32.self, at: address)), port: port)
    }
    return Endpoint(
      addressHigh: bytes.networkOrder(at: address), addressLow: bytes.networkOrder(at: address &+ 8), port: port)
  }
}
