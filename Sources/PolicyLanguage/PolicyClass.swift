// SPDX-License-Identifier: Apache-2.0

/// A class as it is written.
struct PolicyClass: Sendable {
  let name: String
  let place: PolicyPlace
  /// The class that it begins with.
  var parent: (name: String, place: PolicyPlace)?
  /// Those for both directions first.
  var settings: [KnobSetting] = []
  /// Nil: as its parent has them; empty: none.
  var phases: [ClassPhase]?
  var phasesPlace: PolicyPlace?
}
