// SPDX-License-Identifier: Apache-2.0

/// The largest frame that an uplink takes in one piece, of segments that fill the MTU.
struct FullPiece {
  /// Octets of TCP payload of a segment, and of the piece.
  let segment: Int
  let payload: Int

  /// - Parameters:
  ///   - limit: bytes of the longest frame, its `headers` from Ethernet to TCP among them.
  ///   - mtu: of what is behind the Ethernet header.
  init(limit: Int, headers: Int, mtu: Int, segments: Int) {
    // An interface may say anything.
    segment = min(max(mtu, 576), 65_535) &- headers &+ 14
    let room = max(min(limit, FirstSizes.most) &- headers, segment)
    payload = min(room / segment, max(segments, 1)) &* segment
  }

  /// Of a packet that is cut into so many of them.
  func size(_ multiple: Int) -> Int {
    let wanted = min(max(multiple, 1), FirstSizes.most) &* payload &+ segment &- 1
    // What fits into an ordinary packet is to be one.
    let most = payload <= FirstSizes.ordinary.ipv4 && multiple <= 1 ? FirstSizes.ordinary.ipv4 : FirstSizes.most
    return min(max(wanted, FirstSizes.least), most)
  }
}
