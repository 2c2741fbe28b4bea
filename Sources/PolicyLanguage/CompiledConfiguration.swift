// SPDX-License-Identifier: Apache-2.0

/// What applies to connections of a rule, in a phase of their lives, and where each value comes from.
public struct CompiledConfiguration: Sendable {
  /// The rule's name; nil: connections that no rule is for.
  public let rule: String?
  public let ruleClass: String?
  /// From 1.
  public let phase: Int
  /// When the phase is over: `1MiB`, `5s`, `established`; nil: with the connection.
  public let until: String?
  /// All knobs, in the order of the table.
  public let knobs: [EffectiveKnob]
}
