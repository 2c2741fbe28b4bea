// SPDX-License-Identifier: Apache-2.0

/// Why no connection can be one that a rule is for.
public enum MatchError: Error, Equatable, Sendable, CustomStringConvertible {
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

  public var description: String {
    switch self {
    case .vlan(let number): "a VLAN is 0 to 4094, not \(number)"
    case .virtualNetwork(let number): "a virtual network is 0 to 16777215, not \(number)"
    case .dscp(let number): "a code point is 0 to 63, not \(number)"
    case .innerTagAlone: "there is no inner VLAN tag without an outer one"
    case .prefixLength(let role, let length, let allowed):
      "the prefix of \(role) has \(allowed.lowerBound) to \(allowed.upperBound) bits, not \(length)"
    case .bitsBehindPrefix(let role): "the address of \(role) has bits that its prefix leaves out"
    case .ports(let role, let first, let last): "the ports of \(role) end at \(last) and begin at \(first)"
    case .addressVersions: "both ends of a connection have IPv4 addresses, or both have IPv6 addresses"
    }
  }
}
