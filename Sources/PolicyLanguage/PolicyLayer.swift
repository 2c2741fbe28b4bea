// SPDX-License-Identifier: Apache-2.0

/// What gives a knob its value. Later ones win, in this order.
public enum PolicyLayer: Hashable, Sendable {
  case builtIn
  /// The policy's default.
  case fallback
  /// By assignment, or the VM's metadata.
  case vmClass
  /// A value in the VM's metadata.
  case vmSetting
  /// By the metadata of the NIC, or the port.
  case nicClass
  /// A value in the metadata of the NIC.
  case nicSetting
  /// libvirt's.
  case bandwidth
  /// Of the first rule that matches.
  case ruleClass
  /// The number of a phase, from 1.
  case phase(Int)
  /// By its identifier.
  case override(String)
}
