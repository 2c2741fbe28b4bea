// SPDX-License-Identifier: Apache-2.0

/// What applies to some connections before phases, overrides and limits.
struct Treatment {
  var values = KnobValues.builtIn
  var phases: [ClassPhase] = []
  /// What they are counted in. Nil: no class.
  var className: String?
  /// The classes of the VM and its NIC, for people.
  var classes: [String] = []

  /// Over what there is: a class, and those that it extends first.
  mutating func apply(_ chain: [PolicyClass], _ layer: PolicyLayer, phases: [ClassPhase]?) {
    for part in chain.reversed() { values.apply(part.settings) { KnobOrigin(layer, $0) } }
    if let phases { self.phases = phases }
    className = chain.first?.name ?? className
  }
}
