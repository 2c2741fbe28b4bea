// SPDX-License-Identifier: Apache-2.0

import Memory
import Timekeeping
import Wire

/// When data passed whose acknowledgment is waited for, to know the round trip on legs where nothing is held: one run of data a side,
/// as RFC 6298 §3 has it, and some sides at a time. Those that are left out for others have their turn soon.
struct PassingTimes {
  /// How long the receiver took.
  struct Sample: Equatable {
    var took: Interval
    /// It had two segments to acknowledge, so that it had no reason to wait (RFC 9293 §3.8.6.3).
    var isPrompt: Bool
  }

  private struct Entry: BitwiseCopyable {
    /// `SideIndex.rawValue`; negative: none.
    var side = -1
    var end = SequenceNumber(rawValue: 0)
    var isPrompt = false
    var passed = Instant(nanoseconds: 0)
  }

  private static let count = 256
  /// When an entry gives way to another side. It may be of a connection that is idle, or over.
  private static var longest: Interval { .seconds(1) }

  private let entries = RecordBuffer<Entry>(capacity: count, repeating: Entry())

  func deallocate() { entries.deallocate() }

  /// Data up to `end` pass that did not pass before.
  ///
  /// - Parameter isPrompt: whether the receiver has two segments to acknowledge now.
  func begin(_ index: SideIndex, to end: SequenceNumber, isPrompt: Bool, _ now: Instant) {
    let entry = entries[Self.place(index)]
    if entry.side == index.rawValue {
      guard isPrompt, !entry.isPrompt else { return }
    } else {
      guard entry.side < 0 || now - entry.passed > Self.longest else { return }
    }
    entries[Self.place(index)] = Entry(side: index.rawValue, end: end, isPrompt: isPrompt, passed: now)
  }

  /// What is timed was sent again, or is over.
  func cancel(_ index: SideIndex) {
    guard entries[Self.place(index)].side == index.rawValue else { return }
    entries[Self.place(index)].side = -1
  }

  /// The receiver has everything before `number`.
  ///
  /// - Returns: nil if it is not what was waited for.
  func end(_ index: SideIndex, acknowledged number: SequenceNumber, _ now: Instant) -> Sample? {
    let entry = entries[Self.place(index)]
    guard entry.side == index.rawValue, number >= entry.end else { return nil }
    entries[Self.place(index)].side = -1
    return Sample(took: now - entry.passed, isPrompt: entry.isPrompt)
  }

  private static func place(_ index: SideIndex) -> Int { index.rawValue & (count - 1) }
}
