// SPDX-License-Identifier: Apache-2.0

/// IPv4 protocol numbers and IPv6 next-header values that the house looks at (Protocol Numbers registry).
public enum IPProtocol {
  /// RFC 8200 §4.3.
  public static let hopByHopOptions: UInt8 = 0
  public static let icmp: UInt8 = 1
  public static let tcp: UInt8 = 6
  public static let udp: UInt8 = 17
  /// RFC 8200 §4.4.
  public static let routing: UInt8 = 43
  /// RFC 8200 §4.5.
  public static let fragment: UInt8 = 44
  public static let icmpIPv6: UInt8 = 58
  /// RFC 8200 §4.6.
  public static let destinationOptions: UInt8 = 60
}
