// SPDX-License-Identifier: Apache-2.0

/// What whoever is behind an uplink takes in one piece of a frame that is still to be cut to the link's MTU: the second size of
/// multi-stage large send offload. A larger one the kernel would cut by itself, in software.
///
/// They are about frames of several segments only. A frame of one passes whatever its length.
public struct EgressLimits: BitwiseCopyable, Equatable, Sendable {
  /// The longest frame that has the length in its IP header: 65,535 bytes of IPv4, and the Ethernet header without tags.
  public static let ordinaryIPv4Bytes = 65_535 + 14
  /// IPv6's payload length does not count its own 40 bytes.
  public static let ordinaryIPv6Bytes = 65_535 + 40 + 14

  /// No frame of more segments is let through anywhere.
  public static let mostSegments = 65_536
  /// No kernel refuses a request for so many datagrams of UDP (UDP_MAX_SEGMENTS is 64, and 128 from Linux 6.8 on); of more it takes none.
  public static let mostDatagrams = 64

  /// The longest frame, in bytes, Ethernet header and tags included. Beyond `ordinaryIPv4Bytes`: IPv4 packets of total length 0 are
  /// taken as well (BIG TCP, Linux 6.3).
  public let ipv4Bytes: Int
  public let ipv6Bytes: Int
  /// A frame no longer than this is short enough, whatever it is.
  public let leastBytes: Int
  /// The most segments of one frame; from 1 to `mostSegments`.
  public let segments: Int
  /// A frame of no more segments has few enough, whatever it is.
  public let leastSegments: Int

  public init(ipv4Bytes: Int, ipv6Bytes: Int, segments: Int) {
    self.ipv4Bytes = max(ipv4Bytes, 0)
    self.ipv6Bytes = max(ipv6Bytes, 0)
    leastBytes = min(self.ipv4Bytes, self.ipv6Bytes, Self.ordinaryIPv4Bytes)
    self.segments = min(max(segments, 1), Self.mostSegments)
    leastSegments = min(self.segments, Self.mostDatagrams)
  }

  /// What any taker of large frames takes.
  public static var ordinary: EgressLimits {
    EgressLimits(ipv4Bytes: ordinaryIPv4Bytes, ipv6Bytes: ordinaryIPv6Bytes, segments: mostSegments)
  }

  /// The same, with no frame whose length is not in its IP header.
  public var withinOrdinary: EgressLimits {
    EgressLimits(
      ipv4Bytes: min(ipv4Bytes, Self.ordinaryIPv4Bytes), ipv6Bytes: min(ipv6Bytes, Self.ordinaryIPv6Bytes),
      segments: segments)
  }
}
