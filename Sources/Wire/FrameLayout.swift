// SPDX-License-Identifier: Apache-2.0

public import Memory

/// Where the headers of an Ethernet frame begin and end.
///
/// Offsets are bytes from the start of the frame; 0 says "not found", as nothing that is looked for lies there. A
/// value only ever describes bytes that were there: everything up to each non-zero offset lies inside both the bytes
/// that were parsed and the frame.
public struct FrameLayout: BitwiseCopyable, Equatable, Sendable {
  /// Bytes of an Ethernet header without tags, IEEE 802.3.
  public static let ethernetHeaderLength = 14
  /// Bytes from a frame's start that should be given to the parser: more than any headers seen in practice.
  public static let recommendedHeaderBytes = 256
  public static let maximumVLANTags = 2
  /// RFC 8200 §4.1 lists six in the order in which they may come; two to spare.
  public static let maximumExtensionHeaders = 8

  @usableFromInline var network: UInt16 = 0
  @usableFromInline var transport: UInt16 = 0
  @usableFromInline var payload: UInt16 = 0
  @usableFromInline var finalDestination: UInt16 = 0

  /// The EtherType behind the VLAN tags that were read. A tag's own identifier where tags are cut off or too many.
  public internal(set) var etherType: UInt16 = 0
  /// The protocol behind the IPv6 extension headers that were read, or the IPv4 protocol. Only with `ipVersion` 4 or 6.
  /// Of a fragment, the protocol that its header names.
  public internal(set) var transportProtocol: UInt8 = 0
  /// 4 or 6 where a whole, well-formed IP header was found, else 0.
  public internal(set) var ipVersion: UInt8 = 0
  public internal(set) var vlanTagCount: UInt8 = 0
  /// Part of a fragmented packet, first, middle or last (not an "atomic fragment", RFC 6946). No transport header is
  /// looked for in it.
  public internal(set) var isFragment = false
  /// IPv6 extension headers came before the transport header.
  public internal(set) var hasExtensionHeaders = false

  /// Where the network header starts: behind the Ethernet header and the VLAN tags. Never 0.
  @inlinable
  public var networkOffset: Int { Int(network) }
  /// Where the transport header, or a fragment's data, starts. 0 without an IP header, or where its extension headers
  /// are cut off, too many or malformed.
  @inlinable
  public var transportOffset: Int { Int(transport) }
  /// Where the payload of TCP or UDP starts: behind a whole transport header. 0 for everything else.
  @inlinable
  public var payloadOffset: Int { Int(payload) }
  /// Where the address lies that the pseudo-header takes as destination: in the IP header or, while an IPv6 routing
  /// header has segments left, in that (RFC 8200 §8.1). 0 without an IP header or for a routing type not known here.
  @inlinable
  public var finalDestinationOffset: Int { Int(finalDestination) }
  /// A whole TCP or UDP header is there.
  @inlinable
  public var hasTransportHeader: Bool { payload != 0 }

  /// Parses a frame's headers.
  /// - Parameters:
  ///   - headers: a private copy of the frame's first bytes; `recommendedHeaderBytes`, or the whole frame if shorter.
  ///   - frameLength: the length of the whole frame; what lies behind it in `headers` is not looked at.
  /// - Returns: nil for a frame that is shorter than an Ethernet header. Anything else gives as much as was understood.
  public init?(parsing headers: ByteRegion, frameLength: Int) {
    let available = min(min(headers.count, frameLength), Int(UInt16.max))
    guard available >= Self.ethernetHeaderLength else { return nil }
    let bytes = headers.slice(from: 0, count: available)
    etherType = bytes.networkOrder(at: 12)
    network = UInt16(Self.ethernetHeaderLength)
    if etherType == EtherType.vlan || etherType == EtherType.serviceVLAN { skipTags(bytes) }
    switch etherType {
    case EtherType.ipv4: parseIPv4(bytes, at: networkOffset)
    case EtherType.ipv6: parseIPv6(bytes)
    default: break
    }
  }

  /// IEEE 802.1Q §9.3: the tag's identifier stands where an EtherType would, then two bytes, then the next EtherType.
  @inline(never)
  private mutating func skipTags(_ bytes: ByteRegion) {
    while etherType == EtherType.vlan || etherType == EtherType.serviceVLAN {
      guard vlanTagCount < Self.maximumVLANTags, bytes.count &- networkOffset >= 4 else { return }
      etherType = bytes.networkOrder(at: networkOffset + 2)
      network += 4
      vlanTagCount += 1
    }
  }

  /// RFC 791 §3.1.
  @inline(__always)
  private mutating func parseIPv4(_ bytes: ByteRegion, at start: Int) {
    guard bytes.count &- start >= 20 else { return }
    let first: UInt8 = bytes.load(at: start)
    let length = Int(first & 0x0f) &* 4
    guard first &>> 4 == 4, length >= 20, length <= bytes.count &- start else { return }
    ipVersion = 4
    finalDestination = UInt16(truncatingIfNeeded: start &+ 16)
    let transportProtocol: UInt8 = bytes.load(at: start + 9)
    self.transportProtocol = transportProtocol
    transport = UInt16(truncatingIfNeeded: start &+ length)
    // More Fragments, or a fragment offset other than 0.
    guard bytes.networkOrder(UInt16.self, at: start + 6) & 0x3fff == 0 else {
      isFragment = true
      return
    }
    parseTransport(bytes, at: start &+ length, transportProtocol)
  }

  /// RFC 9293 §3.1, RFC 768.
  @inline(__always)
  mutating func parseTransport(_ bytes: ByteRegion, at start: Int, _ transportProtocol: UInt8) {
    switch transportProtocol {
    case IPProtocol.tcp:
      guard bytes.count &- start >= 20 else { return }
      let length = Int(bytes.load(UInt8.self, at: start + 12) &>> 4) &* 4
      guard length >= 20, length <= bytes.count &- start else { return }
      payload = UInt16(truncatingIfNeeded: start &+ length)
    case IPProtocol.udp:
      guard bytes.count &- start >= 8 else { return }
      payload = UInt16(truncatingIfNeeded: start &+ 8)
    default:
      return
    }
  }
}
