// SPDX-License-Identifier: Apache-2.0

/// What the module may do for a connection. `early` includes what `snoop` does.
public enum AccelerationMode: UInt8, BitwiseCopyable, CaseIterable, Sendable {
  /// Nothing: frames pass byte for byte.
  case off
  /// Losses towards the receiver are recovered from copies; acknowledgments stay the receiver's own.
  case snoop
  /// In-sequence data are acknowledged as soon as the module has them.
  case early
}
