// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
import Wire

// A condition as it is written, for one connection: for people who ask why. What counts is what the classifier says.

extension MatchCondition {
  /// Whether it holds for a connection of a NIC.
  func holds(_ nic: NICFacts, _ flow: ConnectionFacts) -> Bool {
    switch test {
    case .names(let match): return match.matches(nic.names(field))
    case .addresses(let blocks):
      guard let address = address(flow) else { return false }
      return blocks.contains { $0.contains(address) }
    case .numbers(let ranges, let orNone):
      guard let number = number(flow) else { return orNone }
      return ranges.contains { $0.contains(number) }
    case .opener(let end): return flow.opener == end
    }
  }

  /// Why it does not hold: `dport 22 is not in $bulk`.
  func reason(_ nic: NICFacts, _ flow: ConnectionFacts) -> String {
    let found = value(nic, flow)
    let isNot = text.hasPrefix("!")
    let wanted = isNot ? String(text.dropFirst()) : text
    let isOne = !wanted.hasPrefix("$") && !wanted.hasPrefix("[") && !wanted.contains("/") && !wanted.contains("-")
    return "\(field.rawValue) \(found) is \(isNot ? "" : "not ")\(isOne || field.isOfNIC ? "" : "in ")\(wanted)"
  }

  /// What it was compared with.
  private func value(_ nic: NICFacts, _ flow: ConnectionFacts) -> String {
    switch test {
    case .names:
      let names = nic.names(field)
      return names.isEmpty ? "(none)" : names.joined(separator: ",")
    case .addresses: return address(flow).map { "\($0)" } ?? "(none)"
    case .numbers: return number(flow).map { "\($0)" } ?? "none"
    case .opener: return "\(flow.opener)"
    }
  }

  private func address(_ flow: ConnectionFacts) -> AddressBlock? {
    guard case .addresses(let role) = field.kind else { return nil }
    return AddressBlock(flow[role], isIPv6: flow.ipVersion == 6)
  }

  /// Nil: there is none.
  private func number(_ flow: ConnectionFacts) -> Int? {
    let tags = flow.vlan >> 24
    switch field {
    case .sport: return Int(flow[.source].port)
    case .dport: return Int(flow[.destination].port)
    case .guestPort: return Int(flow[.guest].port)
    case .peerPort: return Int(flow[.network].port)
    case .proto: return Int(flow.transportProtocol)
    case .dscp: return Int(flow.dscp)
    case .vlan: return tags > 0 ? Int(flow.vlan >> 12 & 0xfff) : nil
    case .innerVlan: return tags > 1 ? Int(flow.vlan & 0xfff) : nil
    case .vni: return flow.virtualNetwork > 0 ? Int(flow.virtualNetwork) - 1 : nil
    case .vm, .uuid, .mac, .alias, .group, .src, .dst, .guest, .peer, .opener: return nil
    }
  }
}

extension ConnectionFacts {
  fileprivate subscript(role: EndpointRole) -> Endpoint {
    switch role {
    case .guest: guest
    case .network: network
    case .source: source
    case .destination: destination
    }
  }
}
