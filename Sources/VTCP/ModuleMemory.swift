// SPDX-License-Identifier: Apache-2.0

import Arena
import Memory
import Timekeeping

/// The module's memory and what lies where in it: a header, the flow index, the timers, the flows and what they hold.
struct ModuleMemory {
  let store: FlowStore
  let index: FlowIndex
  let timers: TimerWheel
  /// What has happened, whoever served the memory meanwhile.
  let counters: RecordBuffer<ModuleCounters>
  /// Of the hash of keys: that of who made the memory.
  let seed: UInt64

  private static let headerBytes = 4096
  private static let layoutOffset = 16
  private static let countersOffset = 64
  /// "vtcpflow" in memory.
  private static let magic: UInt64 = 0x776f_6c66_7063_7476

  static func byteCount(_ configuration: ModuleConfiguration) -> Int {
    storeOffset(configuration) + FlowStore.byteCount(configuration)
  }

  private static func storeOffset(_ configuration: ModuleConfiguration) -> Int {
    let bytes =
      headerBytes + FlowIndex.byteCount(limit: configuration.flowLimit)
      + TimerWheel.byteCount(capacity: configuration.flowLimit)
    return (bytes + ChunkPool.alignment - 1) / ChunkPool.alignment * ChunkPool.alignment
  }

  init(over region: ByteRegion, _ configuration: ModuleConfiguration, creating: Bool, now: Instant) throws(ArenaError) {
    let needs = Self.byteCount(configuration)
    guard region.count >= needs else { throw .tooSmall(has: region.count, needs: needs) }
    if creating {
      region.store(configuration.seed, at: 0)
    } else if !Self.isPresent(in: region) {
      throw .notAnArena
    }
    let layout = region.load(UInt32.self, at: Self.layoutOffset)
    guard creating || layout == RecordLayout.fingerprint else { throw .otherVersion(layout) }
    seed = region.load(at: 0)
    counters = RecordBuffer(
      over: region.slice(from: Self.countersOffset, count: MemoryLayout<ModuleCounters>.stride))
    if creating { counters[0] = ModuleCounters() }
    let flowLimit = configuration.flowLimit
    var offset = Self.headerBytes
    index = try FlowIndex(
      over: region.slice(from: offset, count: FlowIndex.byteCount(limit: flowLimit)), limit: flowLimit,
      creating: creating)
    offset += FlowIndex.byteCount(limit: flowLimit)
    let wheel = region.slice(from: offset, count: TimerWheel.byteCount(capacity: flowLimit))
    timers = try TimerWheel(over: wheel, capacity: flowLimit, creating: creating, now: now)
    store = try FlowStore(over: region.suffix(from: Self.storeOffset(configuration)), configuration, creating: creating)
    // Last of all: before, there is nothing to take over.
    if creating {
      region.store(RecordLayout.fingerprint, at: Self.layoutOffset)
      keepOrder()
      region.store(Self.magic, at: 8)
    }
  }

  /// Whether a module's memory was made here, and not only begun.
  static func isPresent(in region: ByteRegion) -> Bool { region.load(UInt64.self, at: 8) == magic }
}
