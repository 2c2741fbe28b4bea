// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

/// A timer of a side: which, and when it is due.
public struct RecoveryTimer: BitwiseCopyable, Sendable, Equatable {
  public let kind: RecoveryTimerKind
  public let due: Instant
}
