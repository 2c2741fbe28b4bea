// SPDX-License-Identifier: Apache-2.0

import Memory

/// Which slots of a wheel are not empty: a bit for each, and a bit for each word of those, so that the next one is found in a few
/// instructions.
struct SlotBitmap: Sendable {
  private let words: RecordBuffer<UInt64>
  private let summary: RecordBuffer<UInt64>
  private let mask: Int

  /// - Parameter count: slots; a power of two and a multiple of 4096.
  static func byteCount(_ count: Int) -> Int { count / 8 + count / 512 }

  init(over region: ByteRegion, count: Int) {
    words = RecordBuffer(over: region.slice(from: 0, count: count / 8))
    summary = RecordBuffer(over: region.slice(from: count / 8, count: count / 512))
    mask = count - 1
  }

  func set(_ slot: Int) {
    words[slot &>> 6] |= 1 &<< UInt64(slot & 63)
    summary[slot &>> 12] |= 1 &<< UInt64((slot &>> 6) & 63)
  }

  func clear(_ slot: Int) {
    words[slot &>> 6] &= ~(1 &<< UInt64(slot & 63))
    guard words[slot &>> 6] == 0 else { return }
    summary[slot &>> 12] &= ~(1 &<< UInt64((slot &>> 6) & 63))
  }

  /// How many slots behind `start` the first one is that is set, going round; nil if there is none but perhaps `start`.
  func distance(toNextBehind start: Int) -> Int? {
    let first = (start &+ 1) & mask
    let rest = words[first &>> 6] &>> UInt64(first & 63)
    if rest != 0 { return bounded(rest.trailingZeroBitCount &+ 1) }
    guard let word = nextWord(behind: first &>> 6) else { return nil }
    let slot = word &<< 6 &+ words[word].trailingZeroBitCount
    return bounded((slot &- start) & mask)
  }

  /// A full circle leads to `start` itself, which does not count.
  private func bounded(_ distance: Int) -> Int? { distance & mask == 0 ? nil : distance }

  /// The first word with a bit behind this one, going round; perhaps this one itself.
  private func nextWord(behind word: Int) -> Int? {
    var part = word &>> 6
    // Those behind it in the same word of the summary; none behind the last.
    var bits = summary[part] & ~(2 &<< UInt64(word & 63) &- 1)
    for _ in 0...summary.capacity {
      if bits != 0 { return part &<< 6 &+ bits.trailingZeroBitCount }
      part = part &+ 1 == summary.capacity ? 0 : part &+ 1
      bits = summary[part]
    }
    return nil
  }
}
