// SPDX-License-Identifier: Apache-2.0

/// Where a `TimerWheel` is; in the memory, behind its header.
struct WheelState: BitwiseCopyable, Sendable {
  static let byteCount = 64

  /// The tick whose slot is looked at next.
  var cursor: UInt64
  /// The latest tick that there was: what is armed now is due later than that.
  var latest: UInt64
  /// The turn (of the fine slots) whose coarse slot is empty, because what was in it has been spread over fine slots.
  var spread: UInt64
}
