// SPDX-License-Identifier: Apache-2.0

/// Why no connection can be one that a rule is for.
public enum MatchError: Error, Equatable, Sendable {
  /// A VLAN identifier is 0 to 4094.
  case vlan(UInt32)
  /// A VXLAN network identifier has 24 bits.
  case virtualNetwork(UInt32)
  /// A differentiated services code point has 6 bits.
  case dscp(UInt8)
  /// An inner tag, but no outer one.
  case innerTagAlone
  case prefixLength(EndpointRole, UInt8, allowed: ClosedRange<UInt8>)
  /// The address has bits that the prefix's length leaves out.
  case bitsBehindPrefix(EndpointRole)
  /// The last port is below the first.
  case ports(EndpointRole, first: UInt16, last: UInt16)
  /// IPv4 for one end and IPv6 for the other.
  case addressVersions
}
