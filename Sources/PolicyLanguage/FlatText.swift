// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
import Timekeeping

/// The words of docs/policy.md.
enum FlatText {
  /// `key=value` for each key of a configuration.
  static func pairs(_ values: KnobValues) -> [(key: String, value: String)] {
    var pairs: [(key: String, value: String)] = []
    for knob in Knob.allCases {
      switch knob {
      // Lines of their own, or nothing.
      case .rate, .firstStage, .largeSendMTU, .windowScale: continue
      // Who only watches limits nothing.
      case .congestionControl where values[.earlyAck] == .word("observe"): pairs.append(("congestionAlgorithm", "none"))
      case .stripOptions:
        let strips = values[.windowScale] == .word("strip")
        let given = values[.stripOptions].words
        let names = HeaderOverrides.strippable.map(\.name).filter {
          given.contains($0) || strips && $0 == "windowScale"
        }
        pairs.append(("stripOptions", knob.flat(.words(names), .both)))
      default:
        for (key, part) in zip(knob.flatKeys, [KnobPart.transmit, .receive]) {
          pairs.append((key, knob.flat(values[knob, part], part)))
        }
      }
    }
    return pairs
  }

  /// What a rule asks for, each with a blank before it.
  static func match(_ match: FlowMatch) -> String {
    var text = ""
    for role in EndpointRole.allCases {
      let end = match[role]
      if let prefix = end.prefix { text += " \(role)=\(AddressBlock(prefix))" }
      guard end.firstPort > 0 || end.lastPort < .max else { continue }
      text += " \(role)Port=\(end.firstPort)" + (end.lastPort == end.firstPort ? "" : "-\(end.lastPort)")
    }
    if let number = match.transportProtocol { text += " protocol=\(number)" }
    if let opener = match.opener { text += " opener=\(opener)" }
    if let dscp = match.dscp { text += " dscp=\(dscp)" }
    return text + identifier("vlan", match.vlan) + identifier("innerVLAN", match.innerVLAN)
      + identifier("virtualNetwork", match.virtualNetwork)
  }

  private static func identifier(_ key: String, _ match: IdentifierMatch) -> String {
    switch match {
    case .any: ""
    case .absent: " \(key)=none"
    case .equal(let number): " \(key)=\(number)"
    }
  }

  /// When a phase is over.
  static func end(_ end: PhaseEnd) -> String {
    switch end {
    case .established: "established"
    case .octets(let octets): NumberText.shown(Int(octets), NumberText.sizeUnits)
    case .time(let time): NumberText.shown(Int(time.nanoseconds), NumberText.timeUnits)
    }
  }
}
