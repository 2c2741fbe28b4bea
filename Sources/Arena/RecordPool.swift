// SPDX-License-Identifier: Apache-2.0

public import Memory

/// Records of one size, a fixed number of them, in memory that is given and may come from another process.
///
/// A value of this type is a handle, two addresses and numbers; copies of it are the same pool. All state is in the
/// memory, by index:
///
///     offset   0  header of 64 bytes: magic, stride, limit, records ever given out, free list, records in use
///             64  u32 for each record: `inUseMark`, or the next in the free list
///              .  records, from a multiple of 64 on
///
/// A record that was given back is given out again before one that never was, so that memory that was never needed stays
/// untouched: a pool with a limit of a million in a sparse file costs what is used. The words are apart from the records,
/// so that neither `allocate` nor `free` touches a record.
///
/// Whoever opens memory of a process that is gone, killed at any moment, gets what the marks say: the free list and the number
/// in use are made again from them. One thread at a time.
public struct RecordPool<Record: BitwiseCopyable>: Sendable {
  /// What the region's address must be a multiple of. A record is so too if its stride is.
  public static var alignment: Int { 64 }

  /// "pool" in memory.
  @usableFromInline static var magic: UInt32 { 0x6c6f_6f70 }
  /// No record has this number.
  @usableFromInline static var inUseMark: UInt32 { .max }

  @usableFromInline let header: RecordBuffer<PoolHeader>
  @usableFromInline let words: RecordBuffer<UInt32>
  @usableFromInline let records: RecordBuffer<Record>

  /// Bytes that a pool of so many records needs; a multiple of 64.
  ///
  /// - Parameter limit: from 1 to 4,294,967,294.
  public static func byteCount(limit: Int) -> Int {
    recordsOffset(limit) + roundedUp(limit * MemoryLayout<Record>.stride)
  }

  private static func recordsOffset(_ limit: Int) -> Int {
    precondition(limit > 0 && limit < UInt32.max, "a pool has 1 to 2^32 - 2 records")
    return PoolHeader.byteCount + roundedUp(limit * MemoryLayout<UInt32>.stride)
  }

  private static func roundedUp(_ bytes: Int) -> Int { (bytes + alignment - 1) / alignment * alignment }

  /// A pool in the first bytes of `region`.
  ///
  /// - Parameters:
  ///   - creating: whether to make an empty pool, whatever is there. Else the pool there is opened, and its free list made
  ///     again, which takes a walk over the words of all records ever given out.
  public init(over region: ByteRegion, limit: Int, creating: Bool) throws(ArenaError) {
    let needs = Self.byteCount(limit: limit)
    guard region.count >= needs else { throw .tooSmall(has: region.count, needs: needs) }
    precondition(MemoryLayout<Record>.alignment <= Self.alignment, "records are aligned to 64 at most")
    guard region.isAligned(to: Self.alignment) else { throw .notAligned(to: Self.alignment) }
    let first = Self.recordsOffset(limit)
    let stride = MemoryLayout<Record>.stride
    header = RecordBuffer(over: region.slice(from: 0, count: PoolHeader.byteCount))
    words = RecordBuffer(over: region.slice(from: PoolHeader.byteCount, count: limit * MemoryLayout<UInt32>.stride))
    records = RecordBuffer(over: region.slice(from: first, count: limit * stride))
    guard !creating else {
      header[0] = PoolHeader(magic: Self.magic, stride: stride, limit: limit)
      return
    }
    try takeOver(stride: stride, limit: limit)
  }

  /// Records that there can be.
  @inlinable public var limit: Int { records.capacity }

  /// Records that are given out.
  @inlinable public var inUse: Int { Int(header[0].inUse) }

  /// The highest index that was ever given out; 0 if none was. For walks over all records, with `isInUse`.
  @inlinable public var highWater: Int { Int(header[0].highWater) }

  /// Whether a record is given out. Any index may be asked for.
  @inlinable
  public func isInUse(_ index: RecordIndex) -> Bool {
    Int(index.rawValue) <= highWater && !index.isNone && words[index.position] == Self.inUseMark
  }

  /// A record for the caller; nil if all are given out.
  ///
  /// It holds what it held when it was given back; what never was, the memory's first content (zero, in a new file).
  @inlinable
  public func allocate() -> RecordIndex? {
    let free = RecordIndex(rawValue: header[0].firstFree)
    guard !free.isNone else { return allocateUntouched() }
    header[0].firstFree = words[free.position]
    return take(free)
  }

  @inlinable
  func allocateUntouched() -> RecordIndex? {
    let highWater = header[0].highWater
    guard highWater < header[0].limit else { return nil }
    header[0].highWater = highWater &+ 1
    return take(RecordIndex(rawValue: highWater &+ 1))
  }

  @inlinable
  func take(_ index: RecordIndex) -> RecordIndex {
    words[index.position] = Self.inUseMark
    header[0].inUse &+= 1
    return index
  }

  /// Gives a record back. It must be given out: twice is a defect, and ends the program.
  @inlinable
  public func free(_ index: RecordIndex) {
    precondition(words[index.position] == Self.inUseMark, "a record was given back that nobody has")
    words[index.position] = header[0].firstFree
    header[0].firstFree = index.rawValue
    header[0].inUse &-= 1
  }

  /// A record as it is in memory, whoever has it; an index out of range is a defect, and ends the program. For those who look
  /// through memory that another process left.
  public func unmarked(_ index: RecordIndex) -> Record { records[index.position] }

  /// Gives out those records that are said to be in use, by position, and no others: as if those had been the calls so far. For those
  /// who know better than the marks of a killed process.
  ///
  /// - Parameter isUsed: `highWater` of them.
  public func keepOnly(_ isUsed: [Bool]) {
    precondition(isUsed.count == highWater, "one for each record that was ever given out")
    for (position, isUsed) in isUsed.enumerated() { words[position] = isUsed ? Self.inUseMark : 0 }
    makeFreeList()
  }

  /// The record in its place; an index out of range is a defect, and ends the program. In debug builds so is a record that
  /// is not given out.
  @inlinable
  public subscript(index: RecordIndex) -> Record {
    get {
      assert(isInUse(index), "a record is read that nobody has")
      return records[index.position]
    }
    nonmutating _modify {
      assert(isInUse(index), "a record is changed that nobody has")
      yield &records[index.position]
    }
  }

  /// Asks the processor for the first bytes of a record that is wanted soon. Any index may be given.
  @inlinable
  public func prefetch(_ index: RecordIndex) { records.prefetch(index.position) }

  /// Checks the header, and makes free list and number in use from the marks.
  private func takeOver(stride bytes: Int, limit: Int) throws(ArenaError) {
    guard header[0].magic == Self.magic else { throw .notAnArena }
    guard header[0].stride == UInt32(bytes), header[0].limit == UInt32(limit) else {
      throw .otherShape(stride: Int(header[0].stride), limit: Int(header[0].limit))
    }
    guard header[0].highWater <= header[0].limit else { throw .damaged }
    makeFreeList()
  }

  private func makeFreeList() {
    header[0].firstFree = 0
    header[0].inUse = 0
    for position in stride(from: highWater - 1, through: 0, by: -1) {
      if words[position] == Self.inUseMark {
        header[0].inUse += 1
      } else {
        words[position] = header[0].firstFree
        header[0].firstFree = UInt32(position) + 1
      }
    }
  }
}
