// SPDX-License-Identifier: Apache-2.0

/// Ethernet frames with IPv4 or IPv6 and TCP or UDP, octet by octet from the RFCs.
public struct FrameBuilder: Sendable {
  public enum Internet: String, Sendable, CaseIterable {
    case v4
    case v6
  }

  public enum Transport: String, Sendable, CaseIterable {
    case tcp
    case udp

    var number: UInt8 { self == .tcp ? 6 : 17 }
    var checksumOffset: Int { self == .tcp ? 16 : 6 }
  }

  public enum Checksum: Sendable {
    case complete
    /// The pseudo-header's sum only, as a sender leaves it to VIRTIO_NET_HDR_F_NEEDS_CSUM.
    case partial
    case wrong
  }

  public var destination: [UInt8] = [0x52, 0x54, 0, 0x12, 0x34, 0x56]
  public var source: [UInt8] = [0x52, 0x54, 0, 0xaa, 0xbb, 0xcc]
  public var vlan: UInt16?
  public var internet = Internet.v4
  public var transport = Transport.tcp
  public var checksum = Checksum.complete
  public var sourcePort: UInt16 = 40000
  public var destinationPort: UInt16 = 5001
  /// Just below 2^32, so that longer payloads cross the wrap.
  public var sequence: UInt32 = 0xffff_f000
  public var acknowledgment: UInt32 = 0x0102_0304
  public var window: UInt16 = 512
  public var identification: UInt16 = 0xfffe
  /// The second end sends to the first: addresses and ports change places.
  public var isReply = false
  /// TCP flags: ACK and PSH.
  public var flags: UInt8 = 0x18
  /// TCP options, a multiple of 4 octets.
  public var options: [UInt8] = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]
  public var payload: [UInt8] = []

  public init() {}

  public init(_ internet: Internet, _ transport: Transport, payload: [UInt8]) {
    self.internet = internet
    self.transport = transport
    self.payload = payload
  }

  /// `count` octets that differ by position and `seed`.
  public static func pattern(_ count: Int, seed: Int = 0) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ ($0 >> 8) &* 13 &+ seed &* 31) }
  }

  public var ethernetLength: Int { vlan == nil ? 14 : 18 }
  public var internetLength: Int { internet == .v4 ? 20 : 40 }
  public var transportLength: Int { transport == .tcp ? 20 + options.count : 8 }
  public var headerLength: Int { ethernetLength + internetLength + transportLength }

  public func frame() -> [UInt8] {
    ethernet() + internetHeader() + segment()
  }

  /// The virtio_net_hdr that asks for the checksum, and for cutting to `gsoSize` octets of payload if that is not 0.
  public func header(gsoSize: Int = 0) -> NetworkHeader {
    var header = NetworkHeader()
    if checksum == .partial {
      header.flags = NetworkHeader.needsChecksum
      header.checksumStart = UInt16(ethernetLength + internetLength)
      header.checksumOffset = UInt16(transport.checksumOffset)
    }
    guard gsoSize > 0 else { return header }
    header.gsoSize = UInt16(gsoSize)
    header.headerLength = UInt16(headerLength)
    switch (transport, internet) {
    case (.tcp, .v4): header.gsoType = NetworkHeader.gsoTCP4
    case (.tcp, .v6): header.gsoType = NetworkHeader.gsoTCP6
    case (.udp, _): header.gsoType = NetworkHeader.gsoUDP
    }
    return header
  }

  private func ethernet() -> [UInt8] {
    let type: UInt16 = internet == .v4 ? 0x0800 : 0x86dd
    let tag = vlan.map { big(UInt16(0x8100)) + big($0) } ?? []
    return destination + source + tag + big(type)
  }

  private var addresses: (source: [UInt8], destination: [UInt8]) {
    let prefix: [UInt8] = internet == .v4 ? [10, 0, 0] : [0xfd, 0] + [UInt8](repeating: 0, count: 13)
    return isReply ? (prefix + [2], prefix + [1]) : (prefix + [1], prefix + [2])
  }

  private func internetHeader() -> [UInt8] {
    let length = transportLength + payload.count
    let ends = addresses
    guard internet == .v4 else {
      return [0x60, 0, 0, 0] + big(UInt16(truncatingIfNeeded: length)) + [transport.number, 64] + ends.source
        + ends.destination
    }
    let head = [0x45, 0] + big(UInt16(truncatingIfNeeded: length + 20)) + big(identification) + [0x40, 0]
    let tail = ends.source + ends.destination
    let bare = head + [64, transport.number, 0, 0] + tail
    return head + [64, transport.number] + big(~InternetSum.of(bare)) + tail
  }

  private func segment() -> [UInt8] {
    let ports = isReply ? (destinationPort, sourcePort) : (sourcePort, destinationPort)
    var octets: [UInt8] = big(ports.0) + big(ports.1)
    switch transport {
    case .tcp:
      octets += big(sequence) + big(acknowledgment) + [UInt8(5 + options.count / 4) << 4, flags]
      octets += big(window) + [0, 0, 0, 0] + options
    case .udp:
      octets += big(UInt16(truncatingIfNeeded: 8 + payload.count)) + [0, 0]
    }
    octets += payload
    let pseudo = InternetSum.pseudoHeader(
      addresses.source, addresses.destination, transport.number, length: octets.count)
    var sum = InternetSum.of(octets, adding: pseudo)
    switch checksum {
    case .complete: sum = ~sum
    case .partial: sum = InternetSum.of([], adding: pseudo)
    case .wrong: sum = ~sum ^ 0x5555
    }
    if transport == .udp, sum == 0, checksum == .complete { sum = 0xffff }
    octets.replaceSubrange(transport.checksumOffset..<transport.checksumOffset + 2, with: big(sum))
    return octets
  }

  private func big<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    FrontEnd.octets(value.byteSwapped)
  }
}
