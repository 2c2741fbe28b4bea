// SPDX-License-Identifier: Apache-2.0

public import Memory

/// What the segments of one direction of a connection have in common below TCP: the Ethernet header with its VLAN tags,
/// and of the IP header all that the end chose for itself. Copied from a frame of that end; headers in its name are written from it.
///
/// 32 bytes, to be kept for each direction.
public struct SegmentTemplate: BitwiseCopyable, Equatable, Sendable {
  /// The longest header that `write` makes: two VLAN tags, IPv6, 40 bytes of options.
  public static let maximumHeaderLength = 14 + 8 + 40 + 20 + TCPOptions.maximumLength

  // The Ethernet header, EtherType and all, in memory byte order. What lies behind it is of no meaning.
  private let link0: UInt64
  private let link1: UInt64
  private let link2: UInt64
  private let linkLength: UInt8
  /// 4 or 6.
  public let ipVersion: UInt8
  /// Time to live or hop limit.
  public let hopLimit: UInt8
  /// Type of service or traffic class without the two bits of ECN.
  public let trafficClass: UInt8
  /// 20 bits; 0 for IPv4.
  public let flowLabel: UInt32

  /// - Parameters:
  ///   - head: the bytes from which `layout` and `segment` were parsed.
  public init(copying head: ByteRegion, _ layout: FrameLayout, _ segment: TCPSegment) {
    // There are 20 bytes of IP header and 20 of TCP behind the 14 to 22 that count.
    link0 = head.load(at: 0)
    link1 = head.load(at: 8)
    link2 = head.load(at: 16)
    linkLength = UInt8(truncatingIfNeeded: layout.networkOffset)
    ipVersion = layout.ipVersion
    hopLimit = segment.hopLimit
    trafficClass = segment.trafficClass & ~ECNCodepoint.mask
    flowLabel = segment.flowLabel
  }

  /// Writes the headers of a segment to the start of `frame`.
  ///
  /// IPv4's header checksum is whole and DF set. TCP's checksum is partial, as VIRTIO_NET_HDR_F_NEEDS_CSUM wants it: the
  /// sum of the pseudo-header, not complemented. A packet of more than 65535 bytes, which can be sent only with a request
  /// for segmentation, has a length of 0 in its IP header (Linux's "BIG TCP"). Options are written as most stacks do, each behind two
  /// No-Operations: timestamps, then SACK blocks.
  /// - Parameters:
  ///   - frame: at least `maximumHeaderLength` bytes.
  ///   - source: the end in whose name the segment is.
  public func write(
    into frame: ByteRegion, from source: Endpoint, to destination: Endpoint, _ fields: SegmentFields
  ) -> WrittenHeader {
    frame.store(link0, at: 0)
    frame.store(link1, at: 8)
    frame.store(link2, at: 16)
    let network = Int(linkLength)
    let transport = network &+ (ipVersion == 4 ? 20 : 40)
    let options = transport &+ TCPField.options
    let end = writeOptions(frame, at: options, fields)
    let segmentLength = end &- transport &+ fields.payloadCount
    if ipVersion == 4 {
      writeIPv4(frame, at: network, source, destination, fields, segmentLength)
    } else {
      writeIPv6(frame, at: network, source, destination, fields, segmentLength)
    }
    let ports = UInt32(source.port) &<< 16 | UInt32(destination.port)
    frame.storeNetworkOrder(ports, at: transport)
    frame.storeNetworkOrder(fields.sequenceNumber.rawValue, at: transport &+ TCPField.sequenceNumber)
    frame.storeNetworkOrder(fields.acknowledgmentNumber.rawValue, at: transport &+ TCPField.acknowledgmentNumber)
    // The data offset is in words of four bytes, and in the word's four high bits.
    let dataOffset = UInt16(truncatingIfNeeded: (end &- transport) &<< 10)
    frame.storeNetworkOrder(dataOffset | fields.flags.intersection(.all).rawValue, at: transport &+ TCPField.control)
    frame.storeNetworkOrder(fields.window, at: transport &+ TCPField.window)
    frame.storeNetworkOrder(
      Self.pseudoHeaderSum(source, destination, segmentLength), at: transport &+ TCPField.checksum)
    frame.storeNetworkOrder(fields.urgentPointer, at: transport &+ TCPField.urgentPointer)
    return WrittenHeader(length: end, checksumStart: transport)
  }

  /// RFC 791 §3.1.
  private func writeIPv4(
    _ frame: ByteRegion, at network: Int, _ source: Endpoint, _ destination: Endpoint, _ fields: SegmentFields,
    _ segmentLength: Int
  ) {
    let length = 20 &+ segmentLength
    let lengthField = length <= 0xffff ? UInt32(truncatingIfNeeded: length) : 0
    let first = 0x4500_0000 | UInt32(trafficClass | fields.ecnCodepoint.rawValue) &<< 16 | lengthField
    let second = UInt32(fields.identification) &<< 16 | 0x4000
    let third = UInt32(hopLimit) &<< 24 | UInt32(IPProtocol.tcp) &<< 16
    let from = source.addressLow & 0xffff_ffff
    let to = destination.addressLow & 0xffff_ffff
    let checksum = ~InternetChecksum.fold(UInt64(first) &+ UInt64(second) &+ UInt64(third) &+ from &+ to)
    frame.storeNetworkOrder(first, at: network)
    frame.storeNetworkOrder(second, at: network &+ 4)
    frame.storeNetworkOrder(third | UInt32(checksum), at: network &+ 8)
    frame.storeNetworkOrder(from &<< 32 | to, at: network &+ 12)
  }

  /// RFC 8200 §3.
  private func writeIPv6(
    _ frame: ByteRegion, at network: Int, _ source: Endpoint, _ destination: Endpoint, _ fields: SegmentFields,
    _ segmentLength: Int
  ) {
    let first = 0x6000_0000 | UInt32(trafficClass | fields.ecnCodepoint.rawValue) &<< 20 | flowLabel
    let lengthField = segmentLength <= 0xffff ? UInt32(truncatingIfNeeded: segmentLength) : 0
    let second = lengthField &<< 16 | UInt32(IPProtocol.tcp) &<< 8 | UInt32(hopLimit)
    frame.storeNetworkOrder(first, at: network)
    frame.storeNetworkOrder(second, at: network &+ 4)
    frame.storeNetworkOrder(source.addressHigh, at: network &+ 8)
    frame.storeNetworkOrder(source.addressLow, at: network &+ 16)
    frame.storeNetworkOrder(destination.addressHigh, at: network &+ 24)
    frame.storeNetworkOrder(destination.addressLow, at: network &+ 32)
  }

  /// - Returns: where the options end: a multiple of four bytes behind `start`, at most 40.
  private func writeOptions(_ frame: ByteRegion, at start: Int, _ fields: SegmentFields) -> Int {
    var offset = start
    var room = TCPOptions.maximumLength
    if let timestamps = fields.timestamps {
      frame.storeNetworkOrder(0x0101_080a as UInt32, at: offset)
      frame.storeNetworkOrder(timestamps.value, at: offset &+ 4)
      frame.storeNetworkOrder(timestamps.echo, at: offset &+ 8)
      offset &+= 12
      room &-= 12
    }
    let count = min(fields.sackBlocks.count, (room &- 4) / 8)
    guard count > 0 else { return offset }
    frame.storeNetworkOrder(0x0101_0502 &+ UInt32(truncatingIfNeeded: count &* 8), at: offset)
    offset &+= 4
    for index in 0..<count {
      frame.storeNetworkOrder(fields.sackBlocks[index].start.rawValue, at: offset)
      frame.storeNetworkOrder(fields.sackBlocks[index].end.rawValue, at: offset &+ 4)
      offset &+= 8
    }
    return offset
  }

  /// The two versions of IP differ in zeros only. Words of 32 bits are summed: 2¹⁶ is 1 modulo 2¹⁶-1.
  private static func pseudoHeaderSum(_ source: Endpoint, _ destination: Endpoint, _ length: Int) -> UInt16 {
    var sum = UInt64(IPProtocol.tcp) &+ UInt64(truncatingIfNeeded: length)
    sum &+= (source.addressHigh &>> 32) &+ (source.addressHigh & 0xffff_ffff)
    sum &+= (source.addressLow &>> 32) &+ (source.addressLow & 0xffff_ffff)
    sum &+= (destination.addressHigh &>> 32) &+ (destination.addressHigh & 0xffff_ffff)
    sum &+= (destination.addressLow &>> 32) &+ (destination.addressLow & 0xffff_ffff)
    return InternetChecksum.fold(sum)
  }
}
