// SPDX-License-Identifier: Apache-2.0

/// Which window a sender is shown while the module acknowledges for its receiver (danger 16), and so what happens when the
/// buffer fills (R29, R30).
public enum WindowPolicy: UInt8, BitwiseCopyable, CaseIterable, Sendable {
  /// The receiver's. Handing back is always safe. When the buffer fills, early acknowledgment ends for a while ("OFF").
  case receiver
  /// What the buffer has room for, so that the sender can never overrun it.
  case buffer
}
