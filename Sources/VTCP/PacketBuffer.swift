// SPDX-License-Identifier: Apache-2.0

import Arena
import Memory
import Packets
import Wire

/// Octets of a stream that the module holds (FIG. 5, 521 and 530): the range `start ..< end`, in order, in chunks of the arena.
///
/// It knows octets, not segments: what came in one size leaves in another. What came ahead of its turn can lie behind the end, where
/// it belongs (R23); which octets those are is known to who stored them. Trivial; the chunks are the pool's, and whoever
/// forgets a buffer without `releaseAll` leaks them. 32 bytes.
struct PacketBuffer: BitwiseCopyable, Sendable {
  /// The first octet that is held, or the place where the next one goes if none is.
  private(set) var start = SequenceNumber(rawValue: 0)
  var octets: UInt32 = 0
  var first = RecordIndex.none
  var last = RecordIndex.none
  /// The chunk at which the last look ended, and the number of the octet that its payload begins with.
  private var cursor = RecordIndex.none
  private var cursorStart = SequenceNumber(rawValue: 0)
  /// Where in the first chunk `start` is.
  private var firstOffset: UInt16 = 0
  /// How much of the last chunk is in use, from its begin.
  var lastCount: UInt16 = 0
  /// Octets from `start` to the end of what is stored out of order; 0 if nothing is.
  var reach: UInt32 = 0

  /// Octets held.
  var count: Int { Int(octets) }
  /// Behind the last octet.
  var end: SequenceNumber { start + count }
  var isEmpty: Bool { octets == 0 }
  /// Nothing is held, nor any memory for it.
  var isBare: Bool { first.isNone }
  /// Something is stored behind the end.
  var hasLater: Bool { reach > 0 }
  /// Behind what is stored out of order.
  var laterEnd: SequenceNumber { start + max(Int(reach), count) }

  /// An empty buffer for data from `start` on.
  init(at start: SequenceNumber) {
    self.start = start
  }

  /// Takes the next `count` octets of `source`, after passing over `skipped`. All or none: false if the pool is exhausted.
  ///
  /// - Parameters:
  ///   - checksum: gets every octet that was read, also those passed over, as it lies in private memory.
  ///   - sums: whether that is wanted; nobody asks for the sum of data whose source is trusted.
  mutating func append(
    _ source: inout PayloadCursor, skipping skipped: Int, count: Int, checksum: inout TransportChecksum,
    sums: Bool, scratch: ByteRegion, in pool: ChunkPool
  ) -> Bool {
    guard reserve(count, in: pool) else { return false }
    var remaining = skipped
    while remaining > 0 {
      let piece = scratch.slice(from: 0, count: min(remaining, scratch.count))
      guard source.read(into: piece) == piece.count else { return false }
      if sums { checksum.add(piece) }
      remaining &-= piece.count
    }
    remaining = count
    while remaining > 0 {
      if last.isNone || Int(lastCount) == ChunkPool.chunkBytes { advanceLast(in: pool) }
      let room = min(remaining, ChunkPool.chunkBytes &- Int(lastCount))
      let target = pool.region(of: last).slice(from: Int(lastCount), count: room)
      guard source.read(into: target) == room else { return false }
      if sums { checksum.add(target) }
      lastCount &+= UInt16(truncatingIfNeeded: room)
      octets &+= UInt32(truncatingIfNeeded: room)
      remaining &-= room
    }
    if reach <= octets { reach = 0 }
    return true
  }

  /// Links as many chunks behind the last as `count` more octets need, beyond those that are there already.
  mutating func reserve(_ count: Int, in pool: ChunkPool) -> Bool {
    let room = last.isNone ? 0 : ChunkPool.chunkBytes &- Int(lastCount)
    var needed = (max(0, count &- room) &+ ChunkPool.chunkBytes &- 1) / ChunkPool.chunkBytes
    var tail = last
    while needed > 0, !first.isNone {
      let next = tail.isNone ? first : pool[tail].next
      guard !next.isNone else { break }
      tail = next
      needed &-= 1
    }
    guard needed <= pool.limit &- pool.inUse else { return false }
    var head = RecordIndex.none
    for _ in 0..<needed {
      guard let chunk = pool.allocate() else { return false }
      pool[chunk].next = head
      head = chunk
    }
    guard !head.isNone else { return true }
    if tail.isNone {
      first = head
      firstOffset = 0
      cursor = head
      cursorStart = start
      // `advanceLast` starts with the first chunk.
    } else {
      pool[tail].next = head
    }
    return true
  }

  mutating func advanceLast(in pool: ChunkPool) {
    last = last.isNone ? first : pool[last].next
    lastCount = 0
  }

  /// Forgets everything before `number`, which must not be behind `end`; the receiver has it.
  mutating func release(to number: SequenceNumber, in pool: ChunkPool) {
    var remaining = min(number - start, count)
    guard remaining > 0 else { return }
    octets &-= UInt32(truncatingIfNeeded: remaining)
    start += remaining
    if hasLater { reach &-= UInt32(truncatingIfNeeded: remaining) }
    while remaining > 0 {
      let room = (first == last ? Int(lastCount) : ChunkPool.chunkBytes) &- Int(firstOffset)
      // The last chunk stays if something lies in it or behind it.
      guard remaining >= room, first != last || !hasLater else {
        firstOffset &+= UInt16(truncatingIfNeeded: remaining)
        break
      }
      remaining &-= room
      dropFirst(in: pool)
    }
  }

  private mutating func dropFirst(in pool: ChunkPool) {
    let gone = first
    let next = pool[gone].next
    if cursor == gone {
      cursor = next
      cursorStart += ChunkPool.chunkBytes
    }
    pool.free(gone)
    first = next
    firstOffset = 0
    if next.isNone {
      last = .none
      lastCount = 0
    }
  }

  /// Takes back what was appended last, so that `count` octets remain, at most as many as there are.
  /// Nothing is stored behind the end then.
  mutating func truncate(to count: Int, in pool: ChunkPool) {
    reach = 0
    guard count > 0 else {
      let start = start
      releaseAll(in: pool)
      self.start = start
      return
    }
    let place = Int(firstOffset) &+ count
    // At least one octet remains, so the chunk that holds the last one is there.
    last = first
    for _ in 0..<((place &- 1) / ChunkPool.chunkBytes) { last = pool[last].next }
    lastCount = UInt16(truncatingIfNeeded: (place &- 1) % ChunkPool.chunkBytes &+ 1)
    octets = UInt32(truncatingIfNeeded: count)
    var extra = pool[last].next
    pool[last].next = .none
    while !extra.isNone {
      let next = pool[extra].next
      pool.free(extra)
      extra = next
    }
    cursor = first
    cursorStart = start - Int(firstOffset)
  }

  /// Gives all chunks back. Nothing is held then; `start` is where the end was.
  mutating func releaseAll(in pool: ChunkPool) {
    let end = end
    while !first.isNone { dropFirst(in: pool) }
    octets = 0
    reach = 0
    start = end
  }

  /// Gives all chunks back, and goes on at another place.
  mutating func restart(at start: SequenceNumber, in pool: ChunkPool) {
    releaseAll(in: pool)
    self = PacketBuffer(at: start)
  }

  /// Lists where the octets of `range` lie, which must be held. Returns one past the last vector; nil if they are too few.
  mutating func gather(
    _ range: SequenceRange, into vectors: RecordBuffer<IOVector>, at start: Int, in pool: ChunkPool
  ) -> Int? {
    guard !range.isEmpty else { return start }
    guard range.start >= self.start, range.end <= end else { return nil }
    seek(range.start, in: pool)
    var remaining = range.count
    var offset = range.start - cursorStart
    var chunk = cursor
    var place = start
    while remaining > 0 {
      guard place < vectors.capacity else { return nil }
      let size = min(remaining, ChunkPool.chunkBytes &- offset)
      vectors[place] = IOVector(pool.region(of: chunk).slice(from: offset, count: size))
      place &+= 1
      remaining &-= size
      offset = 0
      if remaining > 0 { chunk = pool[chunk].next }
    }
    return place
  }

  /// Puts the cursor on the chunk that holds `number`, which is held.
  private mutating func seek(_ number: SequenceNumber, in pool: ChunkPool) {
    if cursor.isNone || number < cursorStart {
      cursor = first
      cursorStart = start - Int(firstOffset)
    }
    while number - cursorStart >= ChunkPool.chunkBytes {
      cursor = pool[cursor].next
      cursorStart += ChunkPool.chunkBytes
    }
  }

  // MARK: After a process that was killed

  var withoutLater: PacketBuffer {
    var result = self
    result.reach = 0
    return result
  }

  /// Marks the chunks of what a process that is gone has left: what is held, and what is stored behind it if `keepsLater`.
  ///
  /// - Parameter isUsed: of the pool's chunks, by position.
  /// - Returns: false if the list is not one, and then nothing was marked.
  mutating func takeOver(keepsLater: Bool, in pool: ChunkPool, marking isUsed: inout [Bool]) -> Bool {
    if !keepsLater { reach = 0 }
    cursor = .none
    let stored = laterEnd - start
    guard stored > 0 else {
      self = PacketBuffer(at: start)
      return true
    }
    var chunks: [Int] = []
    var chunk = first
    for _ in 0...((Int(firstOffset) + stored - 1) / ChunkPool.chunkBytes) {
      let position = Int(chunk.rawValue) - 1
      guard isUsed.indices.contains(position), !isUsed[position] else {
        for position in chunks { isUsed[position] = false }
        return false
      }
      chunks.append(position)
      isUsed[position] = true
      chunk = pool.unmarkedLink(chunk).next
    }
    return true
  }

  /// Cuts the list behind the last chunk that `takeOver` marked: what follows is given to others.
  func endList(in pool: ChunkPool) {
    guard !first.isNone else { return }
    var chunk = first
    for _ in 0..<((Int(firstOffset) + (laterEnd - start) - 1) / ChunkPool.chunkBytes) { chunk = pool[chunk].next }
    pool[chunk].next = .none
  }
}
