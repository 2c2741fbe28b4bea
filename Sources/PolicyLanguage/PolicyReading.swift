// SPDX-License-Identifier: Apache-2.0

/// What was found in the texts of a policy.
public struct PolicyReading: Sendable {
  /// Nil: there are mistakes.
  public let document: PolicyDocument?
  /// In the order of the files, and of the text; at most `PolicyMistake.most`.
  public let mistakes: [PolicyMistake]
  /// What can be used, but is likely not to be meant so. In the same order.
  public let warnings: [PolicyMistake]
}
