// SPDX-License-Identifier: Apache-2.0

import TCPPolicy

/// How connections are treated that a rule is for, or that none is for.
struct CompiledOutcome: Sendable {
  struct Phase: Sendable {
    let end: PhaseEnd?
    let values: KnobValues
  }

  /// Its number in the document; nil: connections that no rule is for.
  let rule: Int?
  /// Nil: no class is in the policy.
  let className: String?
  /// At least one; only the last has no end.
  let phases: [Phase]
  /// It is for connections both of whose ends are where deviations may be.
  let isInside: Bool
}
