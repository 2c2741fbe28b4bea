// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import PolicyLanguage
import TCPPolicy
import YAMLDocument

/// What a policy does, without doing it: the datapath's own classifier decides, on the text that the NIC would get.
extension Service {
  /// Why a connection is treated as it is. The answer is `PolicyExplanation`'s, with its text for people.
  func explanation(_ body: [UInt8]) throws(ServiceError) -> ControlAnswer {
    let wanted = try ExplainRequest(reading: body)
    let flow: ConnectionFacts
    do throws(PolicyMistake) {
      flow = try FlowDescription(parsing: wanted.flow).facts
    } catch {
      throw ServiceError(.mistaken, "flow: \(error.sentence)")
    }
    let (name, settings) = try subject(wanted)
    var document = policy.document
    if let text = wanted.policy { document = try PolicyKeeper.check([PolicySource("policy.yaml", text)]).document }
    guard let document else { throw ServiceError(.conflict, "no policy is in force: each NIC is as its mode says") }
    let found = document.explain(
      for: settings.facts(name), overrides: policy.overrides.settings(for: name, settings), flow: flow)
    guard found.mistakes.isEmpty else {
      let lines = found.mistakes.map(\.description)
      throw ServiceError(.mistaken, "the policy can't be made for NIC \(name): \(lines[0])", mistakes: lines)
    }
    var members = found.members
    members.append(JSONMember("text", .string(found.text)))
    return ControlAnswer(.good, body: Array("\(YAMLDocument.JSONValue.object(members))\n".utf8))
  }

  /// What another policy, the body, would change for the NICs that are there and the connections that they have.
  func difference(_ body: [UInt8]) throws(ServiceError) -> ControlAnswer {
    let other = try PolicyKeeper.check([PolicySource("policy.yaml", octets: body)]).document
    // Without a policy nothing is set.
    guard let document = policy.document else {
      throw ServiceError(.conflict, "no policy is in force that could be compared with")
    }
    let nics = nics.values.sorted { $0.name < $1.name }.map { nic in
      NICFlows(
        nic.settings.facts(nic.name), overrides: policy.overrides.settings(for: nic.name, nic.settings),
        flows: StatisticsAnswer.flows(nic))
    }
    let difference = document.diff(to: other, over: nics)
    guard case .object(var members) = difference.json else { return ControlAnswer(.failed, body: []) }
    members.append(JSONMember("text", .string(difference.text)))
    return ControlAnswer(.good, body: Array("\(YAMLDocument.JSONValue.object(members))\n".utf8))
  }

  /// The NIC that is asked for, or one that could be.
  private func subject(_ wanted: ExplainRequest) throws(ServiceError) -> (NICName, NICSettings) {
    if let text = wanted.nic {
      let name = try NICName(text)
      guard let nic = nics[name] else { throw missing(name) }
      return (name, nic.settings)
    }
    if let machine = wanted.machine, let nic = nics.values.first(where: { $0.settings.machineName == machine }) {
      return (nic.name, nic.settings)
    }
    if wanted.machine == nil, nics.count == 1, let nic = nics.values.first { return (nic.name, nic.settings) }
    var settings = NICSettings()
    settings.machine = wanted.machine
    return (try NICName("none"), settings)
  }
}

extension PolicyExplanation {
  fileprivate var members: [JSONMember] {
    guard case .object(let members) = json else { return [] }
    return members
  }
}
