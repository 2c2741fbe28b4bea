// SPDX-License-Identifier: Apache-2.0

/// A knob that an administrator sets for a while, above all that classes say.
public struct PolicyOverride: Equatable, Sendable {
  /// What it is called where values come from.
  public let id: String
  /// `buffer`, `tx.buffer`, `window.advertise`.
  public let key: String
  public let value: String

  public init(id: String, key: String, value: String) {
    self.id = id
    self.key = key
    self.value = value
  }
}
