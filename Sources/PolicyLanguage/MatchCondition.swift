// SPDX-License-Identifier: Apache-2.0

/// What a rule asks of a field.
struct MatchCondition: Sendable {
  let field: MatchField
  let test: MatchTest
  /// As it is written: `!$dc`, `[80, 443]`.
  let text: String
  let place: PolicyPlace
}
