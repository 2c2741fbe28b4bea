// SPDX-License-Identifier: Apache-2.0

extension FlowMatch {
  /// Whether there can be a connection that it is for. Returns the IP version that its addresses are of; nil: it names none.
  func checked() throws(MatchError) -> UInt8? {
    try check(vlan, upTo: 4094, error: MatchError.vlan)
    try check(innerVLAN, upTo: 4094, error: MatchError.vlan)
    try check(virtualNetwork, upTo: 0xff_ffff, error: MatchError.virtualNetwork)
    if let dscp, dscp > 63 { throw .dscp(dscp) }
    if vlan == .absent, case .equal = innerVLAN { throw .innerTagAlone }
    var version: UInt8?
    for role in EndpointRole.allCases {
      let end = self[role]
      guard end.firstPort <= end.lastPort else { throw .ports(role, first: end.firstPort, last: end.lastPort) }
      guard let prefix = end.prefix else { continue }
      guard prefix.allowedLength.contains(prefix.length) else {
        throw .prefixLength(role, prefix.length, allowed: prefix.allowedLength)
      }
      guard !prefix.hasBitsBehind else { throw .bitsBehindPrefix(role) }
      guard version == nil || version == prefix.ipVersion else { throw .addressVersions }
      version = prefix.ipVersion
    }
    return version
  }

  private func check(
    _ match: IdentifierMatch, upTo limit: UInt32, error: (UInt32) -> MatchError
  ) throws(MatchError) {
    guard case .equal(let identifier) = match, identifier > limit else { return }
    throw error(identifier)
  }
}
