// SPDX-License-Identifier: Apache-2.0

/// A rule as it is written.
struct LanguageRule: Sendable {
  /// Its name, or its number among all.
  var label: String
  let place: PolicyPlace
  let conditions: [MatchCondition]
  let className: String
  let classPlace: PolicyPlace
  /// The class counts alone, without what the VM's sets.
  let replaces: Bool
}
