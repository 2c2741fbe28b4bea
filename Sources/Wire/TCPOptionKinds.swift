// SPDX-License-Identifier: Apache-2.0

/// Which options a TCP header has (TCP Option Kind Numbers registry).
public struct TCPOptionKinds: OptionSet, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt16

  @inlinable
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// Kind 2, RFC 9293 §3.7.1.
  public static let maximumSegmentSize = TCPOptionKinds(rawValue: 1 << 0)
  /// Kind 3, RFC 7323 §2.
  public static let windowScale = TCPOptionKinds(rawValue: 1 << 1)
  /// Kind 4, RFC 2018 §2.
  public static let sackPermitted = TCPOptionKinds(rawValue: 1 << 2)
  /// Kind 5, RFC 2018 §3.
  public static let sack = TCPOptionKinds(rawValue: 1 << 3)
  /// Kind 8, RFC 7323 §3.
  public static let timestamps = TCPOptionKinds(rawValue: 1 << 4)
  /// Kind 19, the MD5 signature of RFC 2385.
  public static let md5 = TCPOptionKinds(rawValue: 1 << 5)
  /// Kind 29, TCP-AO, RFC 5925.
  public static let authentication = TCPOptionKinds(rawValue: 1 << 6)
  /// Kind 30, RFC 8684.
  public static let multipath = TCPOptionKinds(rawValue: 1 << 7)
  /// Kind 34, RFC 7413, or its experiment: kind 254 with 0xF989 (RFC 6994).
  public static let fastOpen = TCPOptionKinds(rawValue: 1 << 8)
  /// Kinds 172 and 174, RFC 9768.
  public static let accurateECN = TCPOptionKinds(rawValue: 1 << 9)
  /// Any kind that is not named here.
  public static let unknown = TCPOptionKinds(rawValue: 1 << 14)
  /// The options could not be read to their end. See `TCPOptions`.
  public static let malformed = TCPOptionKinds(rawValue: 1 << 15)

  /// Those whose values `TCPOptions` keeps.
  static let withValues: TCPOptionKinds = [.maximumSegmentSize, .windowScale, .sack, .timestamps]
}
