// SPDX-License-Identifier: Apache-2.0

import Arena
import Memory
import Packets
import Wire

// What came ahead of its turn (R23).

extension PacketBuffer {
  /// Puts `count` octets of `source` where they belong, from `number` on, which lies behind the end. They are not held before `extend`
  /// reaches them. False if the pool is exhausted, or `source` too short: then `truncate` gives back what was begun.
  ///
  /// - Parameter checksum: gets every octet that was read, if `sums`.
  mutating func store(
    _ source: inout PayloadCursor, at number: SequenceNumber, count: Int, checksum: inout TransportChecksum, sums: Bool,
    in pool: ChunkPool
  ) -> Bool {
    let distance = number - end
    guard distance >= 0, count > 0, reserve(distance &+ count, in: pool) else { return false }
    reach = max(reach, UInt32(truncatingIfNeeded: self.count &+ distance &+ count))
    var chunk = last.isNone ? first : last
    var offset = (last.isNone ? 0 : Int(lastCount)) &+ distance
    while offset >= ChunkPool.chunkBytes {
      chunk = pool[chunk].next
      offset &-= ChunkPool.chunkBytes
    }
    var remaining = count
    while remaining > 0 {
      let piece = min(remaining, ChunkPool.chunkBytes &- offset)
      let target = pool.region(of: chunk).slice(from: offset, count: piece)
      guard source.read(into: target) == piece else { return false }
      if sums { checksum.add(target) }
      remaining &-= piece
      offset = 0
      if remaining > 0 { chunk = pool[chunk].next }
    }
    return true
  }

  /// What lies between the end and `number` is held from now on. `number` is not behind `laterEnd`.
  mutating func extend(to number: SequenceNumber, in pool: ChunkPool) {
    let more = SequenceNumber.earlier(number, laterEnd) - end
    guard more > 0 else { return }
    octets &+= UInt32(truncatingIfNeeded: more)
    if last.isNone { advanceLast(in: pool) }
    var place = Int(lastCount) &+ more
    while place > ChunkPool.chunkBytes {
      last = pool[last].next
      place &-= ChunkPool.chunkBytes
    }
    lastCount = UInt16(truncatingIfNeeded: place)
    if reach <= octets { reach = 0 }
  }
}
