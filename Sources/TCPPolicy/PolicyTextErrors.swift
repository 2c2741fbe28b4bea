// SPDX-License-Identifier: Apache-2.0

/// All that is wrong with the text of a policy, in its order.
public struct PolicyTextErrors: Error, Equatable, Sendable {
  /// More are not told.
  public static let most = 20

  /// At least one.
  public let errors: [PolicyTextError]
}
