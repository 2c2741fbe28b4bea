// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import HostSystem
import PolicyLanguage
import Polling
import Timekeeping

extension Service {
  /// Answers a request, now or later.
  func handle(_ request: ServiceRequest, _ body: [UInt8], _ reply: ControlReply) {
    do throws(ServiceError) {
      try answer(request, body, reply)
    } catch {
      reply.send(error)
    }
  }

  private func answer(_ request: ServiceRequest, _ body: [UInt8], _ reply: ControlReply) throws(ServiceError) {
    switch request {
    case .status: reply.send(statusJSON)
    case .nics: reply.send(["nics": .array(nics.values.sorted { $0.name < $1.name }.map(\.json))])
    case .nic(let name): reply.send(try nic(name).json)
    case .addNIC(let name): try addPort(name, body, reply)
    case .removeNIC(let name): try remove(name) { reply.send(["removed": .string(name.text)]) }
    case .renew(let name, let renewal): try renew(name, renewal, reply)
    case .endDraining(let name): try endDraining(name, reply)
    case .statistics(let name):
      reply.send(ControlAnswer(.good, body: Array(try StatisticsAnswer.text(try nic(name)).utf8)))
    case .policy: reply.send(policyJSON)
    case .setPolicy: setPolicy(body, reply)
    case .checkPolicy: reply.send(try checkedPolicy(body))
    case .explainPolicy: reply.send(try explanation(body) as ControlAnswer)
    case .diffPolicy: reply.send(try difference(body) as ControlAnswer)
    case .history: reply.send(["revisions": historyJSON])
    case .rollBack(let revision):
      adopt(reply) { () throws(ServiceError) in
        try policy.rollBack(to: revision, user: reply.user, time: WallClock.now())
      }
    case .overrides: reply.send(["overrides": policy.overrides.json])
    case .addOverride: try addOverride(body, reply)
    case .removeOverride(let identifier): try removeOverride(identifier, reply)
    case .reload:
      adopt(reply) { () throws(ServiceError) in
        try policy.reload(user: reply.user, time: WallClock.now(), reason: "reload")
      }
    case .shutDown:
      reply.send(["ending": .integer(nics.count)])
      shutDown()
    case .libvirtHook(let machine, let operation, _, _): try libvirtHook(machine, operation, body, reply)
    case .libvirtMetadata(let uuid): try libvirtMetadata(uuid, body, reply)
    case .events: reply.stream()
    }
  }

  private func nic(_ name: NICName) throws(ServiceError) -> SupervisedNIC {
    guard let nic = nics[name] else { throw missing(name) }
    return nic
  }

  private var statusJSON: JSONValue {
    [
      "version": .string(ServiceUsage.version), "pid": .integer(Int(Process.identifier)),
      "uptime_ms": .integer(Int((MonotonicClock.now() - started).nanoseconds / 1_000_000)),
      "processor_ms": .integer(Int(ResourceLimits.processorTime.nanoseconds / 1_000_000)),
      "nics": .integer(nics.count), "running": .integer(nics.values.count { $0.isRunning }),
      "policy": [
        "revision": .integer(policy.revision), "from": .string(policy.authority),
        "failure": policy.failure.map { .string($0.failure.sentence) } ?? .null,
      ],
      "overrides": .integer(policy.overrides.entries.count),
      "runDirectory": .string(configuration.paths.runDirectory), "program": .string(environment.program),
    ]
  }

  // MARK: - NICs

  private func addPort(_ name: NICName, _ body: [UInt8], _ reply: ControlReply) throws(ServiceError) {
    let settings = body.isEmpty ? NICSettings() : try NICSettings(reading: body, file: "request")
    try add(name, settings) { result in
      switch result {
      case .success(let nic): reply.send(nic.json)
      case .failure(let error): reply.send(error)
      }
    }
  }

  private func endDraining(_ name: NICName, _ reply: ControlReply) throws(ServiceError) {
    try nic(name).endDraining { result in
      switch result {
      case .success: reply.send(["draining": .bool(false)])
      case .failure(let error): reply.send(error)
      }
    }
  }

  private func renew(_ name: NICName, _ renewal: ServiceRequest.Renewal, _ reply: ControlReply) throws(ServiceError) {
    let nic = try nic(name)
    switch renewal {
    case .drain:
      nic.drain(seconds: 10) { result in
        switch result {
        case .success(let text): reply.send(["drained": .string(text)])
        case .failure(let error): reply.send(error)
        }
      }
    case .restart, .upgrade:
      let before = nic.process?.identifier
      guard nic.handOver() else { throw ServiceError(.conflict, "NIC \(name) is \(nic.state)") }
      nic.enter(.starting)
      nic.settled { result in
        switch result {
        case .success: reply.send(["before": before.map { .integer(Int($0)) } ?? .null, "nic": nic.json])
        case .failure(let error): reply.send(error)
        }
      }
    }
  }

  // MARK: - The policy

  private func setPolicy(_ body: [UInt8], _ reply: ControlReply) {
    adopt(reply) { () throws(ServiceError) in
      try policy.adopt(
        [PolicySource("policy.yaml", octets: body)], user: reply.user, time: WallClock.now(), reason: "set")
    }
  }

  private func checkedPolicy(_ body: [UInt8]) throws(ServiceError) -> JSONValue {
    let (document, warnings) = try PolicyKeeper.check([PolicySource("policy.yaml", octets: body)])
    // What is right by itself may be wrong for a NIC that is there.
    var mistakes: [String] = []
    for nic in nics.values.sorted(by: { $0.name < $1.name }) {
      let compiled = document.compile(
        for: nic.settings.facts(nic.name), overrides: policy.overrides.settings(for: nic.name, nic.settings))
      mistakes += compiled.mistakes.map { "NIC \(nic.name): \($0)" }
    }
    guard mistakes.isEmpty else {
      throw ServiceError(.mistaken, "the policy is wrong for NICs that are there", mistakes: mistakes)
    }
    return ["warnings": .array(warnings.map { .string($0) }), "nics": .integer(nics.count)]
  }

  // MARK: - Overrides

  private func addOverride(_ body: [UInt8], _ reply: ControlReply) throws(ServiceError) {
    let wanted = try OverrideRequest(reading: body)
    let now = WallClock.now()
    let before = policy.overrides
    guard
      let entry = policy.overrides.add(
        target: wanted.target, key: wanted.key, value: wanted.value, until: now &+ wanted.time.nanoseconds,
        user: reply.user)
    else { throw ServiceError(.conflict, "there are \(OverrideTable.limit) overrides already") }
    // What the language does not know it says of the NICs that it is for.
    for nic in nics.values {
      guard let compiled = policy.compiled(nic.name, nic.settings), !compiled.mistakes.isEmpty else { continue }
      policy.overrides = before
      let lines = compiled.mistakes.map(\.description)
      throw ServiceError(.mistaken, "the override can't be: \(lines[0])", mistakes: lines)
    }
    saveOverrides()
    armOverrides()
    tell("override-added", "\(entry.key) \(entry.value) (\(entry.identifier))")
    applyPolicy { [weak self] in
      guard let self else { return }
      reply.send([
        "id": .string(entry.identifier), "until": .string(TimeText.utc(entry.until)), "nics": .array(nicPolicies),
      ])
    }
  }

  private func removeOverride(_ identifier: String, _ reply: ControlReply) throws(ServiceError) {
    guard policy.overrides.remove(identifier) else {
      throw ServiceError(.notFound, "there is no override '\(identifier)'; GET /v1/overrides has them")
    }
    saveOverrides()
    armOverrides()
    tell("override-ended", "taken away (\(identifier))")
    applyPolicy { reply.send(["removed": .string(identifier)]) }
  }
}
