// SPDX-License-Identifier: Apache-2.0

/// Which options a TCP header has (TCP Option Kind Numbers registry).
public struct TCPOptionKinds: OptionSet, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt16

  @inlinable
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// Kind 2, RFC 9293 §3.7.1.
  @inlinable
  public static var maximumSegmentSize: TCPOptionKinds { TCPOptionKinds(rawValue: 1 << 0) }
  /// Kind 3, RFC 7323 §2.
  @inlinable
  public static var windowScale: TCPOptionKinds { TCPOptionKinds(rawValue: 1 << 1) }
  /// Kind 4, RFC 2018 §2.
  @inlinable
  public static var sackPermitted: TCPOptionKinds { TCPOptionKinds(rawValue: 1 << 2) }
  /// Kind 5, RFC 2018 §3.
  @inlinable
  public static var sack: TCPOptionKinds { TCPOptionKinds(rawValue: 1 << 3) }
  /// Kind 8, RFC 7323 §3.
  @inlinable
  public static var timestamps: TCPOptionKinds { TCPOptionKinds(rawValue: 1 << 4) }
  /// Kind 19, the MD5 signature of RFC 2385.
  @inlinable
  public static var md5: TCPOptionKinds { TCPOptionKinds(rawValue: 1 << 5) }
  /// Kind 29, TCP-AO, RFC 5925.
  @inlinable
  public static var authentication: TCPOptionKinds { TCPOptionKinds(rawValue: 1 << 6) }
  /// Kind 30, RFC 8684.
  @inlinable
  public static var multipath: TCPOptionKinds { TCPOptionKinds(rawValue: 1 << 7) }
  /// Kind 34, RFC 7413, or its experiment: kind 254 with 0xF989 (RFC 6994).
  @inlinable
  public static var fastOpen: TCPOptionKinds { TCPOptionKinds(rawValue: 1 << 8) }
  /// Kinds 172 and 174, RFC 9768.
  @inlinable
  public static var accurateECN: TCPOptionKinds { TCPOptionKinds(rawValue: 1 << 9) }
  /// Any kind that is not named here.
  @inlinable
  public static var unknown: TCPOptionKinds { TCPOptionKinds(rawValue: 1 << 14) }
  /// The options could not be read to their end. See `TCPOptions`.
  @inlinable
  public static var malformed: TCPOptionKinds { TCPOptionKinds(rawValue: 1 << 15) }

  /// Those whose values `TCPOptions` keeps.
  static let withValues: TCPOptionKinds = [.maximumSegmentSize, .windowScale, .sack, .timestamps]
}
