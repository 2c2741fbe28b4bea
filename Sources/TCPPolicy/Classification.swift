// SPDX-License-Identifier: Apache-2.0

/// What a policy says of a connection, by numbers of its `Classifier`. Small enough to be kept with the connection.
public struct Classification: BitwiseCopyable, Equatable, Sendable {
  /// No rule is for it.
  public static let noRule = UInt16.max
  public static let fallback = Classification(configuration: 0, flowClass: 0, rule: noRule)

  public let configuration: UInt8
  public let flowClass: UInt8
  public let rule: UInt16
}
