// SPDX-License-Identifier: Apache-2.0

import Memory

/// Frames of UDP over IPv4 that a network would carry: valid checksums, several flows, to a multicast group that nobody
/// has joined, so that a stack behind drops them early and answers nothing.
enum FlowFrame {
  private static let flows = 8
  private static let ethernetBytes = 14
  private static let internetBytes = 20

  /// Fills `count` buffers with frames of `size` bytes behind an empty virtio header.
  static func fill(_ slots: FrameSlots, count: Int, size: Int) {
    for slot in 0..<count { write(to: slots.buffer(slot).suffix(from: 12), size: size, flow: slot % flows) }
  }

  static func write(to frame: ByteRegion, size: Int, flow: Int) {
    // 01:00:5e:00:00:64 from 52:54:00:00:00:02
    frame.storeNetworkOrder(UInt32(0x0100_5e00), at: 0)
    frame.storeNetworkOrder(UInt16(0x0064), at: 4)
    frame.storeNetworkOrder(UInt32(0x5254_0000), at: 6)
    frame.storeNetworkOrder(UInt16(0x0002), at: 10)
    frame.storeNetworkOrder(UInt16(0x0800), at: 12)
    let packet = frame.suffix(from: ethernetBytes)
    let length = size - ethernetBytes
    packet.storeNetworkOrder(UInt16(0x4500), at: 0)
    packet.storeNetworkOrder(UInt16(truncatingIfNeeded: length), at: 2)
    packet.storeNetworkOrder(UInt16(0x0111), at: 8)
    packet.storeNetworkOrder(UInt16(0), at: 10)
    // 192.0.2.2 to 224.0.0.100
    packet.storeNetworkOrder(UInt32(0xc000_0202), at: 12)
    packet.storeNetworkOrder(UInt32(0xe000_0064), at: 16)
    packet.storeNetworkOrder(checksum(packet.slice(from: 0, count: internetBytes)), at: 10)
    let datagram = packet.suffix(from: internetBytes)
    datagram.storeNetworkOrder(UInt16(truncatingIfNeeded: 4000 + flow), at: 0)
    datagram.storeNetworkOrder(UInt16(9), at: 2)
    datagram.storeNetworkOrder(UInt16(truncatingIfNeeded: length - internetBytes), at: 4)
    // Zero: the sender has not calculated one (RFC 768).
    datagram.storeNetworkOrder(UInt16(0), at: 6)
  }

  private static func checksum(_ header: ByteRegion) -> UInt16 {
    var sum: UInt32 = 0
    for offset in stride(from: 0, to: header.count, by: 2) {
      sum += UInt32(header.networkOrder(UInt16.self, at: offset))
    }
    while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
    return ~UInt16(sum)
  }
}
