// SPDX-License-Identifier: Apache-2.0

/// Whether a knob can differ between the directions.
public enum KnobParts: Sendable {
  /// One value for the connection, or the VM.
  case both
  /// A value for each direction.
  case each
  /// Of congestion control, which there is towards the network; towards the guest only with full recovery there, and then it has the same values.
  case network
}
