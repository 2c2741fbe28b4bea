// SPDX-License-Identifier: Apache-2.0

/// A test frame by the values of its fields. `encode` writes it from nothing, lengths and checksums right.
public struct FrameSpecification: Equatable, Sendable {
  public enum Transport: UInt8, Sendable {
    case tcp = 6
    case udp = 17
  }

  public var vlanTags: [UInt16] = []
  public var ipVersion = 4
  /// Bytes, a multiple of four, at most 40. IPv4 only.
  public var ipOptionsLength = 0
  /// IPv6 only.
  public var extensionHeaders: [ExtensionHeader] = []
  public var transport = Transport.tcp
  public var sourceAddress: [UInt8] = [192, 0, 2, 1]
  public var destinationAddress: [UInt8] = [198, 51, 100, 2]
  public var sourcePort: UInt16 = 49152
  public var destinationPort: UInt16 = 443
  public var identification: UInt16 = 0xfffe
  /// Just below 2³²: every test that counts on crosses the wrap.
  public var sequenceNumber: UInt32 = 0xffff_ff00
  public var acknowledgmentNumber: UInt32 = 0x0102_0304
  /// The low byte of the control word: CWR ECE URG ACK PSH RST SYN FIN.
  public var control: UInt8 = 0x10
  public var urgentPointer: UInt16 = 0
  /// A multiple of four bytes, at most 40.
  public var tcpOptions: [UInt8] = []
  public var payload: [UInt8] = []

  public init() {}

  public var networkOffset: Int { 14 + vlanTags.count * 4 }
  public var networkHeaderLength: Int { ipVersion == 4 ? 20 + ipOptionsLength : 40 }
  public var transportOffset: Int {
    let extensions = ipVersion == 6 ? extensionHeaders.reduce(0) { $0 + $1.length } : 0
    return networkOffset + networkHeaderLength + extensions
  }
  public var payloadOffset: Int { transportOffset + (transport == .tcp ? 20 + tcpOptions.count : 8) }
  public var checksumOffset: Int { transport == .tcp ? 16 : 6 }

  /// The addresses as long as the version of IP has them.
  private var source: [UInt8] { ipVersion == 4 ? sourceAddress : Self.wide(sourceAddress) }
  private var destination: [UInt8] { ipVersion == 4 ? destinationAddress : Self.wide(destinationAddress) }

  private static func wide(_ address: [UInt8]) -> [UInt8] {
    [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0] + address
  }

  public func encode() -> [UInt8] {
    var ethernet: [UInt8] = [0x52, 0x54, 0, 0, 0, 2, 0x52, 0x54, 0, 0, 0, 1]
    for (index, tag) in vlanTags.enumerated() { ethernet += Self.octets(tag) + [0x20, UInt8(index + 1)] }
    ethernet += ipVersion == 4 ? [0x08, 0x00] : [0x86, 0xdd]
    let segment = encodeTransport()
    return ethernet + (ipVersion == 4 ? encodeIPv4(segment) : encodeIPv6(segment)) + segment
  }

  /// The pseudo-header, the transport header and the payload. Sums to 0xffff.
  public func checksummedBytes(_ segment: [UInt8]) -> [UInt8] {
    let final = ipVersion == 6 ? extensionHeaders.compactMap(\.finalDestination).last : nil
    let length = Self.octets(UInt16(segment.count >> 16)) + Self.octets(UInt16(segment.count & 0xffff))
    return source + (final ?? destination) + length + [0, 0, 0, transport.rawValue] + segment
  }

  private func encodeTransport() -> [UInt8] {
    var header = Self.octets(sourcePort) + Self.octets(destinationPort)
    switch transport {
    case .tcp:
      header += Self.octets(UInt16(sequenceNumber >> 16)) + Self.octets(UInt16(sequenceNumber & 0xffff))
      header += Self.octets(UInt16(acknowledgmentNumber >> 16)) + Self.octets(UInt16(acknowledgmentNumber & 0xffff))
      header += [UInt8((20 + tcpOptions.count) / 4) << 4, control, 0x12, 0x34, 0, 0]
      header += Self.octets(urgentPointer) + tcpOptions
    case .udp:
      header += Self.octets(UInt16(truncatingIfNeeded: 8 + payload.count)) + [0, 0]
    }
    var segment = header + payload
    let checksum = NaiveChecksum.checksum(checksummedBytes(segment))
    let stored = transport == .udp && checksum == 0 ? 0xffff : checksum
    segment.replaceSubrange(checksumOffset..<checksumOffset + 2, with: Self.octets(stored))
    return segment
  }

  private func encodeIPv4(_ segment: [UInt8]) -> [UInt8] {
    let length = UInt16(truncatingIfNeeded: networkHeaderLength + segment.count)
    var header: [UInt8] = [0x40 | UInt8(networkHeaderLength / 4), 0x02] + Self.octets(length)
    header += Self.octets(identification) + [0x40, 0, 64, transport.rawValue, 0, 0] + source + destination
    header += [UInt8](repeating: 1, count: ipOptionsLength)
    header.replaceSubrange(10..<12, with: Self.octets(NaiveChecksum.checksum(header)))
    return header
  }

  private func encodeIPv6(_ segment: [UInt8]) -> [UInt8] {
    var extensions: [UInt8] = []
    for (index, header) in extensionHeaders.enumerated() {
      let next = index + 1 < extensionHeaders.count ? extensionHeaders[index + 1].number : transport.rawValue
      extensions += header.encode(next: next)
    }
    let length = UInt16(truncatingIfNeeded: extensions.count + segment.count)
    let next = extensionHeaders.first?.number ?? transport.rawValue
    return [0x60, 0x12, 0x34, 0x56] + Self.octets(length) + [next, 64] + source + destination + extensions
  }

  private static func octets(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }
}
