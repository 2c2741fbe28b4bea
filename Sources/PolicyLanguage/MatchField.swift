// SPDX-License-Identifier: Apache-2.0

import TCPPolicy

/// What a rule can ask for (FIG. 16), and of which VM and NIC.
public enum MatchField: String, CaseIterable, Sendable {
  // Of the VM and the NIC: evaluated when a policy is compiled.
  case vm
  case uuid
  case mac
  case alias
  case group
  // Of the connection.
  case proto
  case vlan
  case innerVlan
  case vni
  case src
  case dst
  case guest
  case peer
  case sport
  case dport
  case guestPort
  case peerPort
  case opener
  case dscp

  /// What it is compared with.
  enum Kind {
    case names
    case addresses(EndpointRole)
    case ports(EndpointRole)
    /// - Parameter orNone: there may be none of it.
    case numbers(ClosedRange<Int>, orNone: Bool)
    case opener
  }

  var kind: Kind {
    switch self {
    case .vm, .uuid, .mac, .alias, .group: .names
    case .src: .addresses(.source)
    case .dst: .addresses(.destination)
    case .guest: .addresses(.guest)
    case .peer: .addresses(.network)
    case .sport: .ports(.source)
    case .dport: .ports(.destination)
    case .guestPort: .ports(.guest)
    case .peerPort: .ports(.network)
    case .proto: .numbers(0...255, orNone: false)
    case .dscp: .numbers(0...63, orNone: false)
    case .vlan, .innerVlan: .numbers(0...4094, orNone: true)
    case .vni: .numbers(0...0xff_ffff, orNone: true)
    case .opener: .opener
    }
  }

  /// Evaluated when a policy is compiled.
  var isOfNIC: Bool {
    if case .names = kind { return true }
    return false
  }

  static let namesOfNIC = allCases.filter(\.isOfNIC).map(\.rawValue)

  /// The field that a key of docs/policy.md means, or one of its other names.
  static func ofFlatKey(_ key: String) -> MatchField? {
    switch key {
    case "source": .src
    case "destination": .dst
    case "network", "remote": .peer
    case "sourcePort": .sport
    case "destinationPort", "port": .dport
    case "networkPort": .peerPort
    case "protocol": .proto
    case "innerVLAN": .innerVlan
    case "virtualNetwork", "vxlan": .vni
    default: nil
    }
  }

  /// One sentence for people who write policies.
  var summary: String {
    switch self {
    case .vm: "The VM's name; * and ? stand for anything and one character."
    case .uuid: "The VM's UUID."
    case .mac: "The NIC's MAC address."
    case .alias: "The NIC's alias; * and ? stand for anything and one character."
    case .group: "One of the VM's groups; * and ? stand for anything and one character."
    case .proto: "tcp, or the number of a protocol."
    case .vlan: "The VLAN of the outer tag, or none."
    case .innerVlan: "The VLAN of the inner of two tags, or none."
    case .vni: "The VXLAN network, or none."
    case .src: "The end that opens the connection."
    case .dst: "The end that it is opened to."
    case .guest: "The end in the guest, whoever opens."
    case .peer: "The remote end, whoever opens."
    case .sport: "The port of the end that opens the connection."
    case .dport: "The port that it is opened to."
    case .guestPort: "The guest's port, whoever opens."
    case .peerPort: "The remote end's port, whoever opens."
    case .opener: "Who opens the connection."
    case .dscp: "The code point of the first SYN."
    }
  }
}
