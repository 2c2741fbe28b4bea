// SPDX-License-Identifier: Apache-2.0

/// A text of the policy language, and what it is called in mistakes: `policy.yaml`, `policy.d/20-storage.yaml`.
public struct PolicySource: Sendable {
  public let name: String
  public let octets: [UInt8]

  public init(_ name: String, _ text: String) { self.init(name, octets: Array(text.utf8)) }

  /// - Parameter octets: as they were read; that they are UTF-8 is looked at by who reads the language.
  public init(_ name: String, octets: [UInt8]) {
    self.name = name
    self.octets = octets
  }
}
