// SPDX-License-Identifier: Apache-2.0

import Memory

/// A router whose next hop takes only so many bytes: what it says of an IPv4 packet that is too big (RFC 1191 §4).
enum ModelRouter {
  /// Ethernet, IP, ICMP, and the begin of the packet: its header and eight bytes.
  private static let length = 14 + 20 + 8 + 28

  /// Writes the notice of `frame` to `target`; returns its length.
  static func notice(of frame: ByteRegion, limit: Int, to target: ByteRegion) -> Int {
    let notice = target.slice(from: 0, count: length)
    for place in 0..<length { notice.store(UInt8(0), at: place) }
    notice.storeNetworkOrder(0x0800 as UInt16, at: 12)
    notice.storeNetworkOrder(0x4500_0000 + UInt32(length - 14), at: 14)
    notice.store(UInt8(64), at: 22)
    notice.store(UInt8(1), at: 23)
    notice.storeNetworkOrder(0x0a00_0009 as UInt32, at: 26)
    notice.storeNetworkOrder(0x0a00_0001 as UInt32, at: 30)
    notice.storeNetworkOrder(~ModelSegment.fold(ModelSegment.sum(notice, 14, 20)), at: 24)
    notice.storeNetworkOrder(0x0304 as UInt16, at: 34)
    notice.storeNetworkOrder(UInt16(limit), at: 40)
    notice.copy(from: frame.slice(from: 14, count: 28), at: 42)
    notice.storeNetworkOrder(~ModelSegment.fold(ModelSegment.sum(notice, 34, length - 34)), at: 36)
    return length
  }

  /// The limit and the number of the segment, if `frame` is such a notice.
  static func reading(_ frame: ByteRegion) -> (limit: Int, sequence: UInt32)? {
    guard frame.count == length, frame.load(UInt8.self, at: 23) == 1,
      ModelSegment.fold(ModelSegment.sum(frame, 34, length - 34)) == 0xffff
    else { return nil }
    return (Int(frame.networkOrder(UInt16.self, at: 40)), frame.networkOrder(at: 66))
  }
}
