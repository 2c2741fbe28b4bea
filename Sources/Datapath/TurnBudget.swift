// SPDX-License-Identifier: Apache-2.0

/// How much one path does before the others, and the front-end's messages, get their turn.
///
/// About a millisecond's work at the most: QEMU's monitor waits for our replies.
struct TurnBudget {
  private var frames = 256
  private var bytes = 4 << 20

  var isSpent: Bool { frames <= 0 || bytes <= 0 }

  mutating func spend(frames: Int, bytes: Int) {
    self.frames &-= frames
    self.bytes &-= bytes
  }

  /// Nothing more in this turn.
  mutating func end() { frames = 0 }
}
