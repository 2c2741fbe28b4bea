// SPDX-License-Identifier: Apache-2.0

public import Memory

/// From the hash of a key to the record that has the key, in memory that is given and may come from another process.
///
/// Open addressing with linear probing: a power of two of slots, at most half of them in use, each a word of 32 bits of tag (the
/// upper half of the hash) and 32 bits of `RecordIndex`; 0 is empty. The slot of a tag are its low bits, so that a slot says
/// itself where it would rather be. Who looks up compares keys, without a closure:
///
///     var candidate = index.firstCandidate(hash)
///     while !candidate.index.isNone {
///       if flows[candidate.index].key == key { return candidate.index }
///       candidate = index.nextCandidate(after: candidate)
///     }
///
/// Removal moves what lies behind back into the hole, so that there are no tombstones and lookups don't become slower with time.
/// No entry is further than `reach` from its slot: a lookup looks at no more, whoever chose the keys; an insertion that finds no
/// place there is refused, and its flow does without. A removal ends at the first empty slot.
///
/// A process that is killed in a removal leaves an entry twice; whoever opens the memory removes the second. One thread at a time.
public struct FlowIndex: Sendable {
  /// Slots that a lookup looks at, at most: 128, which are 16 cache lines.
  public static let reach = 128
  /// What the region's address must be a multiple of.
  public static let alignment = 64

  /// "find" in memory.
  private static let magic: UInt32 = 0x646e_6966

  private let header: RecordBuffer<PoolHeader>
  private let slots: RecordBuffer<UInt64>
  private let mask: Int

  /// Bytes that an index of so many records needs; a multiple of 64.
  ///
  /// - Parameter limit: from 1 to 2^30.
  public static func byteCount(limit: Int) -> Int {
    PoolHeader.byteCount + slotCount(limit) * MemoryLayout<UInt64>.stride
  }

  private static func slotCount(_ limit: Int) -> Int {
    precondition(limit > 0 && limit <= 1 << 30, "an index has 1 to 2^30 records")
    var count = 8
    while count < 2 * limit { count *= 2 }
    return count
  }

  /// An index in the first bytes of `region`.
  ///
  /// - Parameters:
  ///   - limit: records that it can hold.
  ///   - creating: whether to make an empty index of memory that is all zero. Else the index there is opened, and looked through.
  public init(over region: ByteRegion, limit: Int, creating: Bool) throws(ArenaError) {
    let needs = Self.byteCount(limit: limit)
    guard region.count >= needs else { throw .tooSmall(has: region.count, needs: needs) }
    guard region.isAligned(to: Self.alignment) else { throw .notAligned(to: Self.alignment) }
    header = RecordBuffer(over: region.slice(from: 0, count: PoolHeader.byteCount))
    slots = RecordBuffer(over: region.slice(from: PoolHeader.byteCount, count: needs - PoolHeader.byteCount))
    mask = slots.capacity - 1
    guard !creating else {
      header[0] = PoolHeader(magic: Self.magic, stride: MemoryLayout<UInt64>.stride, limit: limit)
      return
    }
    guard header[0].magic == Self.magic else { throw .notAnArena }
    guard header[0].stride == UInt32(MemoryLayout<UInt64>.stride), header[0].limit == UInt32(limit) else {
      throw .otherShape(stride: Int(header[0].stride), limit: Int(header[0].limit))
    }
    try removeDoubles()
  }

  /// Records that it can hold.
  public var limit: Int { Int(header[0].limit) }

  /// Records that it holds.
  public var count: Int { Int(header[0].inUse) }

  /// Asks the processor for the slot where the lookup of a hash begins.
  public func prefetch(_ hash: UInt64) { slots.prefetch(home(Self.tag(hash))) }

  /// The first record that may have a key of this hash; in `index`, none if there is none.
  public func firstCandidate(_ hash: UInt64) -> FlowCandidate {
    let tag = Self.tag(hash)
    return candidate(tag, from: home(tag), distance: 0)
  }

  /// The next one, if the key of the one before was another.
  public func nextCandidate(after last: FlowCandidate) -> FlowCandidate {
    candidate(last.tag, from: (last.slot &+ 1) & mask, distance: last.distance &+ 1)
  }

  /// Adds a record. The caller has looked for its key, and knows that it is not there.
  ///
  /// - Returns: false if `limit` records are there, or all slots within `reach` are taken.
  public func insert(_ index: RecordIndex, hash: UInt64) -> Bool {
    precondition(!index.isNone, "no record can't be found")
    guard header[0].inUse < header[0].limit else { return false }
    let tag = Self.tag(hash)
    var slot = home(tag)
    for _ in 0..<Self.reach {
      guard slots[slot] != 0 else {
        slots[slot] = Self.entry(tag, index)
        header[0].inUse &+= 1
        return true
      }
      slot = (slot &+ 1) & mask
    }
    return false
  }

  /// Removes a record that was inserted with this hash.
  ///
  /// - Returns: whether it was there.
  @discardableResult
  public func remove(_ index: RecordIndex, hash: UInt64) -> Bool {
    var candidate = firstCandidate(hash)
    while !candidate.index.isNone {
      if candidate.index == index {
        remove(candidate)
        return true
      }
      candidate = nextCandidate(after: candidate)
    }
    return false
  }

  /// Removes a record that was just found. Candidates that were found before are no longer valid.
  public func remove(_ candidate: FlowCandidate) {
    precondition(slots[candidate.slot] == Self.entry(candidate.tag, candidate.index), "the candidate is out of date")
    empty(candidate.slot)
  }

  private func candidate(_ tag: UInt32, from start: Int, distance first: Int) -> FlowCandidate {
    var slot = start
    var distance = first
    while distance < Self.reach {
      let entry = slots[slot]
      guard entry != 0 else { break }
      if UInt32(truncatingIfNeeded: entry &>> 32) == tag {
        return FlowCandidate(index: Self.index(entry), tag: tag, slot: slot, distance: distance)
      }
      slot = (slot &+ 1) & mask
      distance &+= 1
    }
    return FlowCandidate(index: .none, tag: tag, slot: slot, distance: distance)
  }

  /// Empties a slot, and fills the hole with entries behind it that may be there: those whose own slot is not behind the hole.
  private func empty(_ slot: Int) {
    var hole = slot
    var next = (hole &+ 1) & mask
    while slots[next] != 0 {
      let own = home(UInt32(truncatingIfNeeded: slots[next] &>> 32))
      if (next &- own) & mask >= (next &- hole) & mask {
        slots[hole] = slots[next]
        hole = next
      }
      next = (next &+ 1) & mask
    }
    slots[hole] = 0
    header[0].inUse &-= 1
  }

  /// Counts the entries, and removes those that a killed process had moved but not yet removed from their old place.
  private func removeDoubles() throws(ArenaError) {
    header[0].inUse = 0
    for slot in 0..<slots.capacity where slots[slot] != 0 {
      let own = home(UInt32(truncatingIfNeeded: slots[slot] >> 32))
      guard (slot - own) & mask < Self.reach, !Self.index(slots[slot]).isNone else { throw .damaged }
      header[0].inUse += 1
    }
    guard count < slots.capacity else { throw .damaged }
    for slot in 0..<slots.capacity where slots[slot] != 0 {
      let entry = slots[slot]
      var earlier = home(UInt32(truncatingIfNeeded: entry >> 32))
      while slots[earlier] != entry { earlier = (earlier + 1) & mask }
      if earlier != slot { empty(slot) }
    }
  }

  private func home(_ tag: UInt32) -> Int { Int(tag) & mask }

  private static func tag(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash &>> 32) }

  private static func entry(_ tag: UInt32, _ index: RecordIndex) -> UInt64 {
    UInt64(tag) &<< 32 | UInt64(index.rawValue)
  }

  private static func index(_ entry: UInt64) -> RecordIndex {
    RecordIndex(rawValue: UInt32(truncatingIfNeeded: entry))
  }
}
