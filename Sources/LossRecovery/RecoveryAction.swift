// SPDX-License-Identifier: Apache-2.0

/// What came of a timer.
public enum RecoveryAction: UInt8, BitwiseCopyable, Sendable {
  /// It was not due, or put off; ask for the next deadline.
  case nothing = 0
  /// Something may be sent now: ask `nextToRetransmit`, and `allowance` for new data.
  case send = 1
  /// As many timeouts in a row as policy allows. Nothing was changed; the connection is to be given up.
  case gaveUp = 2
}
