// SPDX-License-Identifier: Apache-2.0

/// A domain's XML, changed.
public struct DomainRewriting: Equatable, Sendable {
  public let octets: [UInt8]
  /// What was done, a sentence each; empty: nothing had to be.
  public let changes: [String]
}
