// SPDX-License-Identifier: Apache-2.0

/// A knob that the metadata of a VM sets: `<vtcp:set key="buffer" value="4MiB"/>`.
public struct PolicySetting: Equatable, Sendable {
  /// `buffer`, `tx.buffer`, `window.advertise`.
  public let key: String
  public let value: String
  /// Said of this NIC, not of the VM.
  public let isOfNIC: Bool

  public init(key: String, value: String, isOfNIC: Bool = false) {
    self.key = key
    self.value = value
    self.isOfNIC = isOfNIC
  }
}
