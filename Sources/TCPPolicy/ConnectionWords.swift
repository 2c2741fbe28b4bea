// SPDX-License-Identifier: Apache-2.0

import Wire

/// `ConnectionFacts` as they are compared with each rule.
///
/// `tags`: the virtual network's identifier plus one, or 0, from bit 0 on; the inner tag's identifier from 32, a bit that there is one at
/// 44; the outer tag's from 48, a bit that there is one at 60. `kind`: the protocol from bit 0 on, the IP version from 8, the opener from 16, the
/// code point from 24.
struct ConnectionWords: BitwiseCopyable, Sendable {
  let tags: UInt64
  let kind: UInt64
  let guest: Endpoint
  let network: Endpoint
  let source: Endpoint
  let destination: Endpoint

  private static let outerShift: UInt64 = 48
  private static let innerShift: UInt64 = 32
  private static let isTagged: UInt64 = 1 << 12

  init(_ facts: ConnectionFacts) {
    let count = facts.vlan >> 24
    var words = UInt64(facts.virtualNetwork)
    if count > 0 { words |= (Self.isTagged | UInt64(facts.vlan >> 12 & 0xfff)) << Self.outerShift }
    if count > 1 { words |= (Self.isTagged | UInt64(facts.vlan & 0xfff)) << Self.innerShift }
    tags = words
    kind = Self.kind(facts.transportProtocol, facts.ipVersion, facts.opener, facts.dscp)
    guest = facts.guest
    network = facts.network
    source = facts.source
    destination = facts.destination
  }

  /// What a rule wants of `tags`, and where.
  static func tags(_ match: FlowMatch) -> (value: UInt64, mask: UInt64) {
    let outer = tag(match.vlan)
    let inner = tag(match.innerVLAN)
    let network: (value: UInt64, mask: UInt64) =
      switch match.virtualNetwork {
      case .any: (0, 0)
      case .absent: (0, 0xffff_ffff)
      case .equal(let identifier): (UInt64(identifier) + 1, 0xffff_ffff)
      }
    return (
      outer.value << outerShift | inner.value << innerShift | network.value,
      outer.mask << outerShift | inner.mask << innerShift | network.mask
    )
  }

  /// What a rule wants of `kind`, and where.
  static func kind(_ match: FlowMatch, ipVersion: UInt8?) -> (value: UInt64, mask: UInt64) {
    (
      kind(match.transportProtocol ?? 0, ipVersion ?? 0, match.opener ?? .guest, match.dscp ?? 0),
      (match.transportProtocol == nil ? 0 : 0xff) | (ipVersion == nil ? 0 : 0xff00)
        | (match.opener == nil ? 0 : 0xff_0000) | (match.dscp == nil ? 0 : 0xff00_0000)
    )
  }

  private static func kind(
    _ transportProtocol: UInt8, _ ipVersion: UInt8, _ opener: ConnectionEnd, _ dscp: UInt8
  ) -> UInt64 {
    UInt64(transportProtocol) | UInt64(ipVersion) << 8 | UInt64(opener.rawValue) << 16 | UInt64(dscp) << 24
  }

  private static func tag(_ match: IdentifierMatch) -> (value: UInt64, mask: UInt64) {
    switch match {
    case .any: (0, 0)
    case .absent: (0, isTagged)
    case .equal(let identifier): (isTagged | UInt64(identifier), isTagged | 0xfff)
    }
  }
}
