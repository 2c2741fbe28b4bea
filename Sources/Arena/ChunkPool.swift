// SPDX-License-Identifier: Apache-2.0

public import Memory

/// Chunks of payload, a page each, a fixed number of them, in memory that is given and may come from another process.
///
/// A `RecordPool` of links, and the chunks behind it at a multiple of 4096: the payload of a chunk is whole pages, and lists
/// of chunks are walked without touching payload. What a `RecordPool` says of sparse memory, of opening memory of a
/// process that is gone, and of threads holds here, too.
public struct ChunkPool: Sendable {
  /// Octets of payload of a chunk.
  public static let chunkBytes = 4096
  /// What the region's address must be a multiple of.
  public static let alignment = chunkBytes

  @usableFromInline let links: RecordPool<ChunkLink>
  @usableFromInline let payload: ByteRegion

  /// Bytes that a pool of so many chunks needs; a multiple of 4096.
  ///
  /// - Parameter limit: from 1 to 4,294,967,294.
  public static func byteCount(limit: Int) -> Int { payloadOffset(limit) + limit * chunkBytes }

  private static func payloadOffset(_ limit: Int) -> Int {
    (RecordPool<ChunkLink>.byteCount(limit: limit) + chunkBytes - 1) / chunkBytes * chunkBytes
  }

  /// A pool in the first bytes of `region`: an empty one if `creating`, else the one that is there.
  public init(over region: ByteRegion, limit: Int, creating: Bool) throws(ArenaError) {
    let needs = Self.byteCount(limit: limit)
    guard region.count >= needs else { throw .tooSmall(has: region.count, needs: needs) }
    guard region.isAligned(to: Self.alignment) else { throw .notAligned(to: Self.alignment) }
    let first = Self.payloadOffset(limit)
    links = try RecordPool(over: region.slice(from: 0, count: first), limit: limit, creating: creating)
    payload = region.slice(from: first, count: limit * Self.chunkBytes)
  }

  /// Chunks that there can be.
  @inlinable public var limit: Int { links.limit }

  /// Chunks that are given out.
  @inlinable public var inUse: Int { links.inUse }

  /// The highest index that was ever given out; 0 if none was.
  @inlinable public var highWater: Int { links.highWater }

  /// Whether a chunk is given out. Any index may be asked for.
  @inlinable
  public func isInUse(_ index: RecordIndex) -> Bool { links.isInUse(index) }

  /// A link as it is in memory, whoever has the chunk; see `RecordPool`.
  public func unmarkedLink(_ index: RecordIndex) -> ChunkLink { links.unmarked(index) }

  /// Gives out those chunks that are said to be in use, and no others; see `RecordPool`.
  public func keepOnly(_ isUsed: [Bool]) { links.keepOnly(isUsed) }

  /// A chunk for the caller; nil if all are given out. Its link is empty, its payload is what it was.
  @inlinable
  public func allocate() -> RecordIndex? {
    guard let index = links.allocate() else { return nil }
    links[index] = ChunkLink()
    return index
  }

  /// Gives one chunk back, not those behind it. It must be given out: twice is a defect, and ends the program.
  @inlinable
  public func free(_ index: RecordIndex) { links.free(index) }

  /// The link of a chunk; an index out of range is a defect, and ends the program.
  @inlinable
  public subscript(index: RecordIndex) -> ChunkLink {
    get { links[index] }
    nonmutating _modify { yield &links[index] }
  }

  /// The payload of a chunk, `chunkBytes` octets; an index out of range is a defect, and ends the program.
  @inlinable
  public func region(of index: RecordIndex) -> ByteRegion {
    payload.slice(from: index.position &* Self.chunkBytes, count: Self.chunkBytes)
  }
}
