// SPDX-License-Identifier: Apache-2.0

public import Packets

/// The first sizes of multi-stage large send offload: of the largest TCP packet that a guest may hand over, by family.
///
/// Bytes, as Linux has them for a card (`gso_max_size`): headers are part of them.
public struct FirstSizes: BitwiseCopyable, Equatable, Sendable {
  /// What any guest has with virtio, which knows no such size.
  public static let ordinary = FirstSizes(ipv4: 65_536, ipv6: 65_536)
  /// A smaller one is not told: hardly any packet would be large.
  public static let least = 4096
  /// What Linux makes at the most (GSO_MAX_SIZE).
  public static let most = 524_280

  public let ipv4: Int
  public let ipv6: Int

  public init(ipv4: Int, ipv6: Int) {
    self.ipv4 = ipv4
    self.ipv6 = ipv6
  }

  /// So many times what the uplink takes in one piece, so that packets of this size are cut without a rest (R62).
  ///
  /// Linux fills a packet with as many segments as the size holds beside some hundred bytes for headers. So the size is that of all the segments of so
  /// many pieces, and all but a byte of one more. Of connections with timestamps, whose segments the MTU limits: of others the last piece is a small one.
  public init(multiple: Int, limits: EgressLimits, mtu: Int) {
    let (ipv4, ipv6) = Self.pieces(limits, mtu)
    self.ipv4 = ipv4.size(multiple)
    self.ipv6 = ipv6.size(multiple)
  }

  /// How many times what the uplink takes in one piece is no more than `size`; 1 at least.
  public static func multiple(within size: Int, limits: EgressLimits, mtu: Int) -> Int {
    let wanted = min(max(size, least), most)
    return max(1, wanted / pieces(limits, mtu).ipv4.payload)
  }

  /// The largest multiple whose size is still one.
  public static func mostMultiple(limits: EgressLimits, mtu: Int) -> Int {
    let piece = pieces(limits, mtu).ipv4
    return max(1, (most &- piece.segment) / piece.payload)
  }

  private static func pieces(_ limits: EgressLimits, _ mtu: Int) -> (ipv4: FullPiece, ipv6: FullPiece) {
    (
      FullPiece(limit: limits.ipv4Bytes, headers: 14 + 20 + 32, mtu: mtu, segments: limits.segments),
      FullPiece(limit: limits.ipv6Bytes, headers: 14 + 40 + 32, mtu: mtu, segments: limits.segments)
    )
  }
}
