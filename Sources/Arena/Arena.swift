// SPDX-License-Identifier: Apache-2.0

public import Memory

/// The memory that outlives a process: what a restarted back-end needs to go on, and what others read as statistics.
///
/// One flat range, given from outside (a memfd): a header, then sections found by offset, each an array of records of
/// fixed size. Nothing in it is an address. The layout has a version; a program that does not know it refuses the
/// memory rather than guessing.
///
///     offset   0  u64  magic "vTCPstat"
///              8  u32  layout version
///             12  u32  number of virtqueues
///             16  u64  bytes in all
///             24  u64  offset of the ring journals   (one record of 8256 bytes a virtqueue)
///             32  u64  offset of the statistics      (one record of 512 bytes a virtqueue)
///             40  u64  how often a process has taken it over
///             48  u64  offset of the front-end's session (docs/keeping.md)
///             56  u64  1: the name of the socket that is listened at was made by a process with this memory
public struct Arena: Sendable {
  public static let version: UInt32 = 2
  public static let journalStride = 8256
  public static let statisticsStride = 512
  /// Room for the session: its fixed part, and for each virtqueue.
  private static let sessionBytes = 40960
  private static let sessionStride = 64

  private static let magic: UInt64 = 0x7461_7473_5043_5476  // "vTCPstat" in memory
  private static let headerBytes = 4096

  private let region: ByteRegion
  private let journals: Int
  private let statistics: Int
  private let sessionOffset: Int
  public let queueCount: Int
  /// Whether another process worked with this memory before.
  public let isInherited: Bool

  /// Bytes that so many virtqueues need.
  public static func byteCount(queueCount: Int) -> Int {
    headerBytes + queueCount * (journalStride + statisticsStride + sessionStride) + sessionBytes
  }

  /// Opens the arena in `region`, or makes one if the memory is all zero there.
  public init(over region: ByteRegion, queueCount: Int) throws(ArenaError) {
    let needs = Self.byteCount(queueCount: queueCount)
    guard region.count >= needs else { throw .tooSmall(has: region.count, needs: needs) }
    self.region = region
    self.queueCount = queueCount
    journals = Self.headerBytes
    statistics = journals + queueCount * Self.journalStride
    sessionOffset = statistics + queueCount * Self.statisticsStride
    switch region.load(UInt64.self, at: 0) {
    case 0:
      isInherited = false
      region.store(Self.version, at: 8)
      region.store(UInt32(truncatingIfNeeded: queueCount), at: 12)
      region.store(UInt64(needs), at: 16)
      region.store(UInt64(journals), at: 24)
      region.store(UInt64(statistics), at: 32)
      region.store(UInt64(sessionOffset), at: 48)
      // Last: a half-made arena is not taken for one.
      region.store(Self.magic, at: 0)
    case Self.magic:
      isInherited = true
      let version = region.load(UInt32.self, at: 8)
      guard version == Self.version else { throw .otherVersion(version) }
      let queues = Int(region.load(UInt32.self, at: 12))
      guard queues == queueCount else { throw .otherQueueCount(queues) }
      guard region.load(UInt64.self, at: 24) == UInt64(journals),
        region.load(UInt64.self, at: 32) == UInt64(statistics),
        region.load(UInt64.self, at: 48) == UInt64(sessionOffset)
      else { throw .notAnArena }
    default:
      throw .notAnArena
    }
    region.store(region.load(UInt64.self, at: 40) &+ 1, at: 40)
  }

  /// The journal of one virtqueue's ring.
  public func journal(ofQueue index: Int) -> ByteRegion {
    region.slice(from: journals + index * Self.journalStride, count: Self.journalStride)
  }

  /// What the front-end has said, for a process that takes over.
  public var session: ByteRegion {
    region.slice(from: sessionOffset, count: Self.sessionBytes + queueCount * Self.sessionStride)
  }

  /// How many processes have worked with this memory, this one among them.
  public var generation: UInt64 { region.load(at: 40) }

  /// Whether the name of the socket that is listened at is ours to remove.
  public var ownsSocketName: Bool {
    get { region.load(UInt64.self, at: 56) == 1 }
    nonmutating set { region.store(newValue ? 1 as UInt64 : 0, at: 56) }
  }

  /// The counters of one virtqueue.
  public func statistics(ofQueue index: Int) -> ByteRegion {
    region.slice(from: statistics + index * Self.statisticsStride, count: Self.statisticsStride)
  }
}
