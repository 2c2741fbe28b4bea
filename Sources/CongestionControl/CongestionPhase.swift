// SPDX-License-Identifier: Apache-2.0

/// What is going on, as far as the window is concerned.
public enum CongestionPhase: UInt8, Sendable, BitwiseCopyable {
  /// No loss is being recovered.
  case open = 0
  /// Fast recovery: the window was reduced and stays as it is; `ProportionalRateReduction` says what may be sent.
  case recovery = 1
  /// After a timeout: slow start from one segment.
  case loss = 2
  /// A mark reduced the window: it does not grow, and is not reduced again, until what was in flight is acknowledged.
  case reduced = 3
}
