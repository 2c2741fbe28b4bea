// SPDX-License-Identifier: Apache-2.0

public import Memory

/// A place in a scatter list, moving forward: copies to and from memory that is cut anywhere.
public struct VectorCursor: Sendable {
  @usableFromInline let vectors: RecordBuffer<IOVector>
  @usableFromInline let end: Int
  @usableFromInline var index: Int
  @usableFromInline var offset = 0

  /// The vectors `first ..< end`.
  @inlinable @inline(__always)
  public init(_ vectors: RecordBuffer<IOVector>, first: Int, end: Int) {
    self.vectors = vectors
    self.end = end
    index = first
  }

  /// Copies the next bytes into `target` until it is full or the list ends; returns how many.
  @inlinable @inline(__always)
  public mutating func read(into target: ByteRegion) -> Int {
    var done = 0
    while done < target.count, let piece = next(target.count &- done) {
      target.copy(from: piece, at: done)
      done &+= piece.count
    }
    return done
  }

  /// Copies all of `source` to the next bytes; returns how many there was room for.
  @inlinable @inline(__always)
  public mutating func write(_ source: ByteRegion) -> Int {
    var done = 0
    while done < source.count, let piece = next(source.count &- done) {
      piece.copy(from: source.slice(from: done, count: piece.count))
      done &+= piece.count
    }
    return done
  }

  /// Passes over `count` bytes.
  @inlinable @inline(__always)
  public mutating func skip(_ count: Int) {
    var remaining = count
    while remaining > 0, let piece = next(remaining) { remaining &-= piece.count }
  }

  /// The next bytes that lie in one piece, at most `limit`; nil at the end.
  @inlinable @inline(__always)
  public mutating func next(_ limit: Int) -> ByteRegion? {
    while index < end {
      guard let region = vectors[index].region, offset < region.count else {
        index &+= 1
        offset = 0
        continue
      }
      let count = min(limit, region.count &- offset)
      let piece = region.slice(from: offset, count: count)
      offset &+= count
      if offset == region.count {
        index &+= 1
        offset = 0
      }
      return piece
    }
    return nil
  }

  /// Writes the vectors from here on to `target` from `start` on until they hold `bytes` bytes. Returns one past the
  /// last, or nil if `target` or the list ends before.
  @inlinable @inline(__always)
  public mutating func gather(_ bytes: Int, into target: RecordBuffer<IOVector>, at start: Int) -> Int? {
    var remaining = bytes
    var place = start
    while remaining > 0 {
      guard place < target.capacity else { return nil }
      if offset == 0, index < end, let whole = vectors[index].region, whole.count <= remaining, whole.count > 0 {
        target[place] = IOVector(whole)
        index &+= 1
        remaining &-= whole.count
      } else {
        guard let piece = next(remaining) else { return nil }
        target[place] = IOVector(piece)
        remaining &-= piece.count
      }
      place &+= 1
    }
    return place
  }
}
