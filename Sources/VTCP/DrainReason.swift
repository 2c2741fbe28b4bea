// SPDX-License-Identifier: Apache-2.0

/// Why a side does not, or no longer, acknowledge early.
public enum DrainReason: UInt8, BitwiseCopyable, Sendable {
  case none
  /// The flow's buffer, or that of all flows, has no room (R29).
  case bufferFull
  /// The receiver's window is closed (R39, FIG. 13).
  case zeroWindow
  /// Data came out of order (R31).
  case outOfOrder
  /// Urgent data (danger 26).
  case urgentData
  /// A segment with options that are not known (danger 30).
  case unknownOptions
  /// Fragments of the sender's pass, in which nobody sees what they carry (danger 32).
  case fragments
  /// The receiver acknowledges nothing though data are sent (danger 33).
  case silentReceiver
  /// The administrator wants it so, or the NIC is about to move.
  case policy
  /// The path is short, loses nothing, and the VM has its processor: there is nothing to gain.
  case notWorthwhile
}
