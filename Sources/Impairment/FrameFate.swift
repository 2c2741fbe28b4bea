// SPDX-License-Identifier: Apache-2.0

/// What happens to a frame whatever the time is: it depends on the seed, the frame's number and the settings.
public struct FrameFate: Equatable, Sendable {
  /// By chance, each frame for itself.
  public var isLost = false
  /// In a burst.
  public var isLostInBurst = false
  public var isDuplicated = false
  /// It is held back by `ImpairmentSettings.reorderBy`, while others pass.
  public var isReordered = false
  /// The congestion mark is set, if the frame can have one.
  public var isMarked = false
  /// Which bit is turned over, from the frame's first on; nil: none.
  public var corruptedBit: Int?
  /// From -1 to 1: how much of `ImpairmentSettings.jitter` is added to the delay.
  public var jitter = 0.0
}
