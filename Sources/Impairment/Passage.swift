// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

/// What becomes of a frame on a link.
public enum Passage: Equatable, Sendable {
  /// By chance, alone.
  case lost
  case lostInBurst
  /// There was no room at the link's head.
  case overflowed
  /// It leaves the link at this time. A duplicate leaves right behind it.
  case leaves(at: Instant, isDuplicated: Bool, isReordered: Bool, isMarked: Bool, corruptedBit: Int?)
}
