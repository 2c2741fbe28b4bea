// SPDX-License-Identifier: Apache-2.0

/// What the IP header says, of RFC 791 §3.1 or RFC 8200 §3.
extension TCPSegment {
  @inlinable @inline(__always)
  var isIPv4: Bool { networkWords &>> 60 == 4 }

  /// Type of service (IPv4) or traffic class (IPv6), ECN bits and all.
  @inlinable
  public var trafficClass: UInt8 { UInt8(truncatingIfNeeded: networkWords &>> (isIPv4 ? 48 : 52)) }

  @inlinable
  public var ecnCodepoint: ECNCodepoint { ECNCodepoint(trafficClass: trafficClass) }

  /// IPv4 has options. (IPv6's extension headers: `FrameLayout.hasExtensionHeaders`.)
  @inlinable
  public var hasIPv4Options: Bool { isIPv4 && (networkWords &>> 56) & 0x0f != 5 }

  /// IPv4's DF. Always true of IPv6, which no router fragments.
  @inlinable
  public var doesNotFragment: Bool { !isIPv4 || networkWords & 0x4000 != 0 }

  /// IPv4's identification; 0 of IPv6.
  @inlinable
  public var identification: UInt16 { isIPv4 ? UInt16(truncatingIfNeeded: networkWords &>> 16) : 0 }

  /// 20 bits, RFC 6437; 0 of IPv4.
  @inlinable
  public var flowLabel: UInt32 { isIPv4 ? 0 : UInt32(truncatingIfNeeded: networkWords &>> 32) & 0xf_ffff }
}
