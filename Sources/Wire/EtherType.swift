// SPDX-License-Identifier: Apache-2.0

/// The EtherTypes that the house looks at (IEEE 802 Numbers registry).
public enum EtherType {
  public static let ipv4: UInt16 = 0x0800
  public static let arp: UInt16 = 0x0806
  /// RFC 903.
  public static let reverseARP: UInt16 = 0x8035
  /// The tag protocol identifier of a customer VLAN tag, IEEE 802.1Q.
  public static let vlan: UInt16 = 0x8100
  /// "Local Experimental EtherType 1" (IEEE 802): for use within a network whose owner says what it means.
  public static let localExperimental1: UInt16 = 0x88b5
  public static let ipv6: UInt16 = 0x86dd
  /// The tag protocol identifier of a service VLAN tag, IEEE 802.1ad.
  public static let serviceVLAN: UInt16 = 0x88a8
}
