// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
import Wire

/// Rules by their words: bit by bit, one field after the other.
enum NaiveMatcher {
  static func first(_ rules: [PolicyRule], _ facts: ConnectionFacts) -> Int? {
    rules.firstIndex { matches($0.match, facts) }
  }

  private static func matches(_ match: FlowMatch, _ facts: ConnectionFacts) -> Bool {
    let tags = facts.vlan / 0x100_0000
    let outer = tags >= 1 ? facts.vlan / 0x1000 % 0x1000 : nil
    let inner = tags >= 2 ? facts.vlan % 0x1000 : nil
    let network = facts.virtualNetwork == 0 ? nil : facts.virtualNetwork - 1
    guard matches(match.vlan, outer), matches(match.innerVLAN, inner), matches(match.virtualNetwork, network) else {
      return false
    }
    if let wanted = match.transportProtocol, wanted != facts.transportProtocol { return false }
    if let wanted = match.opener, wanted != facts.opener { return false }
    if let wanted = match.dscp, wanted != facts.dscp { return false }
    return matches(match.guest, facts.guest, facts.ipVersion) && matches(match.network, facts.network, facts.ipVersion)
      && matches(match.source, facts.opener == .guest ? facts.guest : facts.network, facts.ipVersion)
      && matches(match.destination, facts.opener == .guest ? facts.network : facts.guest, facts.ipVersion)
  }

  private static func matches(_ match: IdentifierMatch, _ identifier: UInt32?) -> Bool {
    switch match {
    case .any: true
    case .absent: identifier == nil
    case .equal(let wanted): identifier == wanted
    }
  }

  private static func matches(_ match: EndpointMatch, _ end: Endpoint, _ ipVersion: UInt8) -> Bool {
    guard (match.firstPort...match.lastPort).contains(end.port) else { return false }
    guard let prefix = match.prefix else { return true }
    guard prefix.ipVersion == ipVersion else { return false }
    let wanted = bits(prefix.addressHigh, prefix.addressLow, ipVersion)
    let found = bits(end.addressHigh, end.addressLow, ipVersion)
    return wanted.prefix(Int(prefix.length)) == found.prefix(Int(prefix.length))
  }

  private static func bits(_ high: UInt64, _ low: UInt64, _ ipVersion: UInt8) -> [Bool] {
    var all: [Bool] = []
    for word in [high, low] {
      for place in 0..<64 { all.append(word / (1 << UInt64(63 - place)) % 2 == 1) }
    }
    return ipVersion == 4 ? Array(all[96...]) : all
  }
}
