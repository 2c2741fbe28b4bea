// SPDX-License-Identifier: Apache-2.0

/// Frames that tests send: the 10-byte header and an Ethernet frame, told from others by their source address.
enum TestFrame {
  static let source: [UInt8] = [0x02, 0x76, 0x74, 0x63, 0x70, 0x01]
  static let broadcast: [UInt8] = [UInt8](repeating: 0xFF, count: 6)
  static let emptyHeader = [UInt8](repeating: 0, count: 10)

  /// A frame of the local experimental Ethertype.
  static func plain(_ payload: [UInt8], tag: [UInt8] = []) -> [UInt8] {
    emptyHeader + broadcast + source + tag + [0x88, 0xB5] + payload + [UInt8](repeating: 0, count: 46)
  }

  static func isOurs(_ frame: [UInt8]) -> Bool {
    frame.count >= 24 && Array(frame[16..<22]) == source
  }

  /// An IPv4 TCP segment of `length` bytes of data to be cut to `segment` bytes each (VIRTIO_NET_HDR_GSO_TCPV4).
  static func largeTCP(length: Int, segment: UInt16, tag: [UInt8] = []) -> [UInt8] {
    let linkLength = 14 + tag.count
    var header = emptyHeader
    header[0] = 1
    header[1] = 1
    store(UInt16(linkLength + 40), in: &header, at: 2)
    store(segment, in: &header, at: 4)
    store(UInt16(linkLength + 20), in: &header, at: 6)
    store(16, in: &header, at: 8)
    let total = 40 + length
    var ip: [UInt8] = [0x45, 0, UInt8(total >> 8), UInt8(total & 0xFF), 0, 1, 0x40, 0, 64, 6, 0, 0]
    ip += [192, 0, 2, 1, 192, 0, 2, 2]
    let sum = onesComplement(ip)
    ip[10] = UInt8(~sum >> 8)
    ip[11] = UInt8(~sum & 0xFF)
    let pseudo = Array(ip[12..<20]) + [0, 6, UInt8((20 + length) >> 8), UInt8((20 + length) & 0xFF)]
    let partial = onesComplement(pseudo)
    let tcp: [UInt8] =
      [0x30, 0x39, 0x00, 0x50, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0xFF, 0xFF, UInt8(partial >> 8)]
      + [UInt8(partial & 0xFF), 0, 0]
    return header + broadcast + source + tag + [0x08, 0x00] + ip + tcp + [UInt8](repeating: 0x5A, count: length)
  }

  static func load(_ frame: [UInt8], at offset: Int) -> UInt16 {
    UInt16(frame[offset]) | UInt16(frame[offset + 1]) << 8
  }

  private static func store(_ value: UInt16, in bytes: inout [UInt8], at offset: Int) {
    bytes[offset] = UInt8(value & 0xFF)
    bytes[offset + 1] = UInt8(value >> 8)
  }

  private static func onesComplement(_ bytes: [UInt8]) -> UInt16 {
    var sum: UInt32 = 0
    for index in stride(from: 0, to: bytes.count, by: 2) { sum += UInt32(bytes[index]) << 8 | UInt32(bytes[index + 1]) }
    while sum > 0xFFFF { sum = (sum & 0xFFFF) + (sum >> 16) }
    return UInt16(sum)
  }
}
