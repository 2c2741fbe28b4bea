// SPDX-License-Identifier: Apache-2.0

import Memory
import Wire

/// One segment of a connection of the guest's, as an uplink hands it over: with a virtio header, and a checksum to be completed.
struct SampleSegment {
  enum Options {
    case none
    /// Segments of 1448, selective acknowledgments, windows in units of 128.
    case handshake
    /// Octets that lie ahead of their turn.
    case selective(UInt32, UInt32)
  }

  var isFromGuest: Bool
  var sequence: UInt32
  var acknowledgment: UInt32
  var flags: TCPFlags = .ack
  var options = Options.none
  var payload = 0
  static let segmentSize = 1448

  /// TCP's, bytes.
  private var headerLength: Int {
    if case .none = options { 20 } else { 32 }
  }

  /// With all headers.
  var byteCount: Int { VirtioNetHeader.length + 34 + headerLength + payload }

  /// Writes the headers; the payload behind them is what is there. The frame may be longer than the packet, as of an Ethernet link.
  func write(to region: ByteRegion) {
    var header = VirtioNetHeader()
    header.flags = .needsChecksum
    header.checksumStart = 34
    header.checksumOffset = 16
    if payload > Self.segmentSize {
      header.rawGSOType = VirtioNetHeader.GSOType.tcpv4.rawValue
      header.gsoSize = UInt16(Self.segmentSize)
      header.headerLength = UInt16(34 + headerLength)
    }
    header.encode(into: region)
    let frame = region.suffix(from: VirtioNetHeader.length)
    SampleFrame.writeIPv4(protocolNumber: 6, length: UInt16(20 + headerLength + payload), to: frame)
    let ends: [UInt32] = [0xc000_0201, 0xc633_6402]
    frame.storeNetworkOrder(ends[isFromGuest ? 0 : 1], at: 26)
    frame.storeNetworkOrder(ends[isFromGuest ? 1 : 0], at: 30)
    frame.storeNetworkOrder(UInt16(isFromGuest ? 4000 : 4001), at: 34)
    frame.storeNetworkOrder(UInt16(isFromGuest ? 4001 : 4000), at: 36)
    frame.storeNetworkOrder(sequence, at: 38)
    frame.storeNetworkOrder(acknowledgment, at: 42)
    frame.store(UInt8(headerLength << 2), at: 46)
    frame.store(UInt8(truncatingIfNeeded: flags.rawValue), at: 47)
    frame.storeNetworkOrder(UInt16(0xffff), at: 48)
    switch options {
    case .none: break
    case .handshake:
      frame.storeNetworkOrder(UInt32(0x0204_05a8), at: 54)
      frame.storeNetworkOrder(UInt32(0x0101_0402), at: 58)
      frame.storeNetworkOrder(UInt32(0x0103_0307), at: 62)
    case .selective(let start, let end):
      frame.storeNetworkOrder(UInt32(0x0101_050a), at: 54)
      frame.storeNetworkOrder(start, at: 58)
      frame.storeNetworkOrder(end, at: 62)
    }
  }

  /// The octets of payload of a packet with IPv4 and TCP, behind a virtio header.
  static func payload(of region: ByteRegion) -> Int {
    let frame = region.suffix(from: VirtioNetHeader.length)
    let length: UInt16 = frame.networkOrder(at: 16)
    let offset: UInt8 = frame.load(at: 46)
    return Int(length) - 20 - Int(offset >> 4) * 4
  }
}
