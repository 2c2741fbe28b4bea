// SPDX-License-Identifier: Apache-2.0

/// What a `FirstSizeTuner` is at, for people.
public enum FirstSizeState: BitwiseCopyable, Equatable, Sendable {
  /// The size that was found best is announced.
  case settled
  /// It is being compared with this multiple, which is announced at times.
  case trying(Int)
}
