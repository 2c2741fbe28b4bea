// SPDX-License-Identifier: Apache-2.0

/// The two ways out of the module.
public enum Leg: UInt8, BitwiseCopyable, Sendable {
  /// To the guest, by its receiveqs.
  case guest = 0
  /// To the host's network, by the uplink.
  case network = 1

  @inlinable public var opposite: Leg { self == .guest ? .network : .guest }
}
