// SPDX-License-Identifier: Apache-2.0

import HostSystem
import ControlProtocol
import HostService
import HostSystem
import Polling
import Timekeeping

extension SupervisedNIC {
  /// One word for how it is.
  var state: String {
    switch phase {
    case .starting: "starting"
    case .running: "running"
    case .waiting: "waiting"
    case .adopting: "adopting"
    case .failed: "failed"
    case .unwatched: "unwatched"
    case .ending: "ending"
    case .ended: "ended"
    }
  }

  private var why: String? {
    switch phase {
    case .failed(let why), .unwatched(let why): why
    case .starting, .running, .waiting, .adopting, .ending, .ended: nil
    }
  }

  /// Whether it has its policy; of one without the accelerator there is none.
  var policyMembers: [JSONValue.Member] {
    guard mode != "off" else { return [.init("inForce", .null), .init("why", "mode off: it accelerates nothing")] }
    var members: [JSONValue.Member] = [
      .init("revision", .integer(policy.revision)),
      .init("inForce", .bool(isRunning && policy.failure == nil && policy.telling == nil)),
    ]
    if let failure = policy.failure {
      members.append(.init("why", .string(failure)))
    } else if !isRunning {
      members.append(.init("why", .string("the NIC is \(state)")))
    }
    if !policy.warnings.isEmpty { members.append(.init("warnings", .array(policy.warnings.map { .string($0) }))) }
    return members
  }

  var json: JSONValue {
    var members: [JSONValue.Member] = [
      .init("name", .string(name.text)), .init("state", .string(state)),
      .init("pid", process.map { .integer(Int($0.identifier)) } ?? .null),
    ]
    if let why { members.append(.init("why", .string(why))) }
    if let statusText { members.append(.init("status", .string(statusText))) }
    members += [
      .init("mode", .string(mode)),
      .init("socket", .string(paths.socket(name))), .init("control", .string(paths.control(name))),
      .init("statistics", mode == "off" ? .null : .string(paths.statistics(name))),
      .init(
        "uplink", (try? UplinkOpening.text(name, settings, environment.configuration)).map { .string($0) } ?? .null),
      .init("starts", .integer(starts)), .init("deaths", .integer(plan.deaths)),
      .init("kept", .integer(store.entries.count)), .init("keptLimit", .integer(store.limit)),
    ]
    if let lastEnd { members.append(.init("lastEnd", .string(lastEnd))) }
    members.append(.init("policy", .object(policyMembers)))
    if let bound = settings.bound {
      // As of a port that was made for a VM.
      members += [.init("vm", .string(bound.name)), .init("uuid", .string(bound.uuid))]
    }
    if case .object(let own) = settings.json {
      let present = Set(members.map(\.key))
      members += own.filter { !present.contains($0.key) }
    }
    return .object(members)
  }

  /// Nothing is acknowledged early any more, and what is owed is delivered, as far as it goes in that time. `done` gets one line.
  func drain(seconds: Int, _ done: @escaping (Result<String, ServiceError>) -> Void) {
    askToDrain("\(seconds)", patience: .seconds(Int64(seconds) + 5), done)
  }

  /// Data are acknowledged early again. `done` gets one line.
  func endDraining(_ done: @escaping (Result<String, ServiceError>) -> Void) {
    askToDrain("off", patience: .seconds(5), done)
  }

  private func askToDrain(
    _ word: String, patience: Interval, _ done: @escaping (Result<String, ServiceError>) -> Void
  ) {
    guard isRunning else { return done(.failure(ServiceError(.conflict, "NIC \(name) is \(state)"))) }
    guard mode != "off" else { return done(.success("it accelerates nothing")) }
    control.ask(Array("drain \(word)\n".utf8), patience: patience) { [name] result in
      switch result {
      case .success(let answer) where answer.isGood: done(.success(answer.text))
      case .success(let answer): done(.failure(ServiceError(.conflict, "NIC \(name): \(answer.text)")))
      case .failure(let failure): done(.failure(ServiceError(.unavailable, "NIC \(name): \(failure)")))
      }
    }
  }
}
