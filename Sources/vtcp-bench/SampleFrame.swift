// SPDX-License-Identifier: Apache-2.0

import Memory
import Wire

/// The frames that are sent, with an uplink's virtio header before them.
enum SampleFrame {
  static func write(_ content: Scenario.Content, to region: ByteRegion) -> Int {
    switch content {
    case .small: writeUDP(64, to: region)
    case .full: writeUDP(1500, to: region)
    case .segmented: writeTCP(payload: 600, segment: 200, to: region)
    case .large: writeTCP(payload: 45 * 1448, segment: 1448, to: region)
    }
  }

  /// `length`: the frame's, bytes.
  private static func writeUDP(_ length: Int, to region: ByteRegion) -> Int {
    let frame = region.suffix(from: VirtioNetHeader.length)
    VirtioNetHeader().encode(into: region)
    writeIPv4(protocolNumber: 17, length: UInt16(length - 14), to: frame)
    frame.storeNetworkOrder(UInt16(4000), at: 34)
    frame.storeNetworkOrder(UInt16(4001), at: 36)
    frame.storeNetworkOrder(UInt16(length - 34), at: 38)
    return VirtioNetHeader.length + length
  }

  /// `segment`: the payload of one packet that is to be cut from it, bytes.
  private static func writeTCP(payload: Int, segment: UInt16, to region: ByteRegion) -> Int {
    let frame = region.suffix(from: VirtioNetHeader.length)
    var header = VirtioNetHeader()
    header.flags = .needsChecksum
    header.rawGSOType = VirtioNetHeader.GSOType.tcpv4.rawValue
    header.gsoSize = segment
    header.headerLength = 54
    header.checksumStart = 34
    header.checksumOffset = 16
    header.encode(into: region)
    writeIPv4(protocolNumber: 6, length: UInt16(40 + payload), to: frame)
    frame.storeNetworkOrder(UInt16(4000), at: 34)
    frame.storeNetworkOrder(UInt16(4001), at: 36)
    frame.store(UInt8(5 << 4), at: 46)
    frame.store(UInt8(0x10), at: 47)
    return VirtioNetHeader.length + 54 + payload
  }

  /// Ethernet, IPv4 and TCP with timestamps.
  static let segmentHeaderLength = 14 + 20 + 32

  /// The headers of a segment of the stream of its number, without a virtio header.
  static func writeSegment(_ stream: Int, payload: Int, to frame: ByteRegion) {
    writeIPv4(protocolNumber: 6, length: UInt16(segmentHeaderLength - 14 + payload), to: frame)
    frame.storeNetworkOrder(UInt16(4000 + stream), at: 34)
    frame.storeNetworkOrder(UInt16(4001), at: 36)
    frame.storeNetworkOrder(UInt32(stream * payload), at: 38)
    frame.store(UInt8(8 << 4), at: 46)
    frame.store(UInt8(0x10), at: 47)
    frame.storeNetworkOrder(UInt32(0x0101_080a), at: 54)
  }

  /// A segment without options, 54 bytes of headers.
  static func writeBare(payload: Int, to frame: ByteRegion) {
    writeIPv4(protocolNumber: 6, length: UInt16(40 + payload), to: frame)
    frame.storeNetworkOrder(UInt16(4000), at: 34)
    frame.storeNetworkOrder(UInt16(4001), at: 36)
    frame.store(UInt8(5 << 4), at: 46)
    frame.storeNetworkOrder(UInt16(0xffff), at: 48)
  }

  /// Source and destination change places.
  static func turnRound(_ frame: ByteRegion) {
    let addresses: (UInt32, UInt32) = (frame.load(at: 26), frame.load(at: 30))
    frame.store(addresses.1, at: 26)
    frame.store(addresses.0, at: 30)
    let ports: (UInt16, UInt16) = (frame.load(at: 34), frame.load(at: 36))
    frame.store(ports.1, at: 34)
    frame.store(ports.0, at: 36)
  }

  static func setNumbers(_ frame: ByteRegion, sequence: UInt32, acknowledgment: UInt32, flags: TCPFlags) {
    frame.storeNetworkOrder(sequence, at: 38)
    frame.storeNetworkOrder(acknowledgment, at: 42)
    frame.store(UInt8(truncatingIfNeeded: flags.rawValue), at: 47)
  }

  /// Ethernet and IPv4 headers without a checksum; `length`: the packet's, bytes.
  static func writeIPv4(protocolNumber: UInt8, length: UInt16, to frame: ByteRegion) {
    frame.storeNetworkOrder(UInt16(0x5254), at: 0)
    frame.storeNetworkOrder(UInt16(0x5254), at: 6)
    frame.storeNetworkOrder(UInt16(0x0800), at: 12)
    frame.store(UInt8(0x45), at: 14)
    frame.storeNetworkOrder(length, at: 16)
    frame.store(UInt8(64), at: 22)
    frame.store(protocolNumber, at: 23)
    frame.storeNetworkOrder(UInt32(0xc000_0201), at: 26)
    frame.storeNetworkOrder(UInt32(0xc633_6402), at: 30)
  }
}
