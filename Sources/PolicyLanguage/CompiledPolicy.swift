// SPDX-License-Identifier: Apache-2.0

/// A policy for one NIC, as `vtcp-nic` reads it (docs/policy.md), and where its values come from.
public struct CompiledPolicy: Sendable {
  /// Empty if there are mistakes.
  public let text: String
  /// What can't be done of what was asked for, in the policy or besides.
  public let mistakes: [PolicyMistake]
  public let warnings: [PolicyMistake]

  let document: PolicyDocument
  let outcomes: [CompiledOutcome]
  /// The outcome of each rule of the text.
  let ruleOutcomes: [Int]
  /// Of connections that no rule of the text is for.
  let fallbackOutcome: Int
  /// The classes that the VM and its NIC have, for people: `bulk -> base by the VM's metadata`.
  let vmClasses: [String]

  /// What applies to whom, and where each value comes from: what no rule is for, then each rule that can be for connections of this NIC.
  public var origins: [CompiledConfiguration] {
    outcomes.flatMap { outcome in
      outcome.phases.enumerated().map { number, phase in
        CompiledConfiguration(
          rule: outcome.rule.map { document.rules[$0].label }, ruleClass: outcome.className, phase: number + 1,
          until: phase.end.map(FlatText.end), knobs: phase.values.effective)
      }
    }
  }
}
