// SPDX-License-Identifier: Apache-2.0

import Memory

/// Blocks that wait for whoever takes them, in memory of a fixed size. Each lies in one piece.
///
/// What is written lies from `head` up to `tail`; or, when a block did not fit behind `tail` any more, from `head` up to `turn` and from the
/// memory's start up to `tail`.
struct CaptureRing {
  private let memory: ByteRegion
  private var head = 0
  private var tail = 0
  private var turn: Int?

  init(over memory: ByteRegion) { self.memory = memory }

  /// Room for a block of so many octets or fewer; nil: there is none. What was written counts once it is committed.
  mutating func reserve(_ count: Int) -> ByteRegion? {
    guard turn == nil else { return head &- tail >= count ? memory.slice(from: tail, count: count) : nil }
    if head == tail {
      head = 0
      tail = 0
    }
    if memory.count &- tail >= count { return memory.slice(from: tail, count: count) }
    guard head >= count else { return nil }
    turn = tail
    tail = 0
    return memory.slice(from: 0, count: count)
  }

  mutating func commit(_ count: Int) { tail &+= count }

  /// What can be taken at once; empty: nothing waits.
  mutating func waiting() -> ByteRegion {
    if let turn {
      if head < turn { return memory.slice(from: head, count: turn &- head) }
      self.turn = nil
      head = 0
    }
    return memory.slice(from: head, count: tail &- head)
  }

  /// So many of them were taken.
  mutating func take(_ count: Int) { head &+= count }

  var isEmpty: Bool { turn == nil && head == tail || turn == head && tail == 0 }
}
