// SPDX-License-Identifier: Apache-2.0

import Polling
import ControlProtocol
import HostService
import HostSystem
import PolicyLanguage
import Polling
import TCPPolicy

extension Service {
  func nearest(_ word: String, _ known: [String]) -> String? { NearestWord.of(word, in: known) }

  /// What a NIC is to have; nil: nothing, or it can't be made.
  func policyText(_ nic: SupervisedNIC) -> String? {
    guard let compiled = policy.compiled(nic.name, nic.settings) else {
      // Who has had one loses it: it is as its mode says again.
      nic.policy.revision = 0
      return nic.policy.digest == nil ? nil : ""
    }
    nic.policy.warnings = compiled.warnings.map(\.description)
    guard compiled.mistakes.isEmpty else {
      nic.policy.failure = compiled.mistakes.map(\.description).joined(separator: "\n")
      return nil
    }
    nic.policy.revision = policy.revision
    return compiled.text
  }

  /// A NIC is not made for which the policy has a mistake: a class that there is not.
  func checkPolicy(of nic: SupervisedNIC) throws(ServiceError) {
    guard let compiled = policy.compiled(nic.name, nic.settings), !compiled.mistakes.isEmpty else { return }
    let lines = compiled.mistakes.map(\.description)
    throw ServiceError(.mistaken, "NIC \(nic.name) can't have its policy: \(lines[0])", mistakes: lines)
  }

  /// Tells each NIC its policy, where that is another one now. `done` when all have it, or will not.
  func applyPolicy(_ done: @escaping () -> Void) {
    var left = 1
    let one = {
      left -= 1
      if left == 0 { done() }
    }
    for nic in nics.values.sorted(by: { $0.name < $1.name }) {
      left += 1
      nic.updatePolicy(one)
    }
    tell("policy-changed", "revision \(policy.revision)", [.init("revision", .integer(policy.revision))])
    one()
  }

  /// A policy that was asked for: everybody is told, and then who asked, of each NIC how it came out.
  func adopt(_ reply: ControlReply, _ change: () throws(ServiceError) -> PolicyKeeper.Adopted?) {
    do throws(ServiceError) {
      let adopted = try change()
      if let adopted, adopted.isNew {
        log.info("the policy is revision \(adopted.revision.number) (\(adopted.revision.reason))")
      }
      applyPolicy { [weak self] in
        guard let self else { return }
        var members: [JSONValue.Member] = [
          .init("revision", .integer(policy.revision)), .init("changed", .bool(adopted?.isNew ?? false)),
        ]
        if let adopted { members.append(.init("sha256", .string(adopted.revision.digest))) }
        members.append(.init("warnings", .array((adopted?.warnings ?? []).map { .string($0) })))
        members.append(.init("nics", .array(nicPolicies)))
        reply.send(.object(members))
      }
    } catch {
      tell("policy-refused", error.failure.sentence)
      reply.send(
        ServiceError(
          error.status, "the policy in force stays: \(error.failure.sentence)", mistakes: error.failure.mistakes))
    }
  }

  /// Of each NIC whether it has its policy, and if not, why.
  var nicPolicies: [JSONValue] {
    nics.values.sorted { $0.name < $1.name }.map { nic in
      var members: [JSONValue.Member] = [.init("name", .string(nic.name.text))]
      members += nic.policyMembers
      return .object(members)
    }
  }

  var policyJSON: JSONValue {
    var members: [JSONValue.Member] = [
      .init("revision", .integer(policy.revision)), .init("from", .string(policy.authority)),
    ]
    if let last = policy.history.last, policy.document != nil { members.append(.init("sha256", .string(last.digest))) }
    members += [
      .init("files", .array(policy.sources.map { HistoryFiles.json($0) })),
      .init("warnings", .array(policy.warnings.map { .string($0) })),
      .init("nics", .array(nicPolicies)),
    ]
    if let failure = policy.failure { members.append(.init("failure", failure.failure.json)) }
    return .object(members)
  }

  var historyJSON: JSONValue {
    .array(policy.history.revisions.reversed().map(\.json))
  }
}
