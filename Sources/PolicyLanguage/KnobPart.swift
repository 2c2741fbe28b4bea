// SPDX-License-Identifier: Apache-2.0

/// Which direction a value is for.
public enum KnobPart: String, CaseIterable, Sendable {
  case both = ""
  /// Guest to network.
  case transmit = "tx"
  /// Network to guest.
  case receive = "rx"
}
