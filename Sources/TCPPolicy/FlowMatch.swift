// SPDX-License-Identifier: Apache-2.0

/// Which connections a rule is for (R10). Everything that it says must hold; what it does not say may be anything.
///
/// FIG. 16 tells the ends apart as source and destination. A connection has two directions, and one configuration: here its source
/// is the end that sends the first SYN, in both directions. `guest` and `network` tell the ends by where they are, whoever begins.
/// A rule may speak of both: "guest 10.0.0.0/8, destination port 443".
public struct FlowMatch: BitwiseCopyable, Hashable, Sendable {
  /// The VLAN identifier of the outer tag, or the only one (IEEE 802.1Q, 9.6): 0 to 4094, where 0 is a tag that says no more than a priority.
  public var vlan = IdentifierMatch.any
  /// That of the inner of two tags.
  public var innerVLAN = IdentifierMatch.any
  /// The VXLAN network identifier (RFC 7348, section 5), 24 bits.
  public var virtualNetwork = IdentifierMatch.any
  /// Nil: any.
  public var transportProtocol: UInt8?
  /// Who opens the connection. Nil: either.
  public var opener: ConnectionEnd?
  /// The differentiated services code point of the first SYN (RFC 2474, section 3), 0 to 63. Nil: any.
  public var dscp: UInt8?
  public var guest = EndpointMatch()
  public var network = EndpointMatch()
  public var source = EndpointMatch()
  public var destination = EndpointMatch()

  /// Every connection.
  public init() {}

  public subscript(role: EndpointRole) -> EndpointMatch {
    get {
      switch role {
      case .guest: guest
      case .network: network
      case .source: source
      case .destination: destination
      }
    }
    set {
      switch role {
      case .guest: guest = newValue
      case .network: network = newValue
      case .source: source = newValue
      case .destination: destination = newValue
      }
    }
  }
}
