// SPDX-License-Identifier: Apache-2.0

import Arena
import Memory
import Polling
import Timekeeping

/// Tables as full as a flow table of so many flows has them, and the calls that are measured.
final class FlowTables {
  enum Row: String, CaseIterable {
    case memory = "one load, after the one before: the machine"
    case lookup = "flow lookup: hash, index, key, counter"
    case armLater = "timer arm: later, as acknowledgments do"
    case cancel = "timer cancel"
    case armIdle = "timer arm: was not armed"
    case armEarlier = "timer arm: earlier, as pacing does"
    case due = "timer due"
    case release = "record free"
    case take = "record allocate"
    case releaseChunk = "chunk free"
    case takeChunk = "chunk allocate"
    case remove = "index remove"
    case insert = "index insert"

    /// What docs/performance.md promises.
    var isBounded: Bool { self == .lookup || self == .armLater || self == .cancel || self == .armIdle }
  }

  let flows: Int
  let records: RecordPool<FlowRow>
  let chunks: ChunkPool
  let index: FlowIndex
  let wheel: TimerWheel
  let hash = KeyHash(seed: .random(in: 0 ... .max))
  /// Every flow once, in random order, and its key.
  let order: RecordBuffer<RecordIndex>
  let keys: RecordBuffer<FlowRowKey>
  var now = Instant(nanoseconds: 1_000_000_000)
  let hashes = RecordBuffer<UInt64>(capacity: 32, repeating: 0)
  let candidates: RecordBuffer<FlowCandidate>
  /// Where the walk over all records is.
  var reached = RecordIndex.none
  private var samples: [Double] = []

  init(flows: Int) throws {
    self.flows = flows
    records = try RecordPool(
      over: Self.memory(RecordPool<FlowRow>.byteCount(limit: flows)), limit: flows, creating: true)
    chunks = try ChunkPool(
      over: Self.memory(ChunkPool.byteCount(limit: flows), touched: false), limit: flows, creating: true)
    index = try FlowIndex(over: Self.memory(FlowIndex.byteCount(limit: flows)), limit: flows, creating: true)
    wheel = try TimerWheel(
      over: Self.memory(TimerWheel.byteCount(capacity: flows)), capacity: flows, creating: true, now: now)
    candidates = RecordBuffer(capacity: 32, repeating: index.firstCandidate(0))
    order = RecordBuffer(capacity: flows, repeating: .none)
    keys = RecordBuffer(capacity: flows, repeating: FlowRowKey())
    for (place, flow) in (0..<flows).shuffled().enumerated() {
      order[place] = RecordIndex(rawValue: UInt32(flow + 1))
      keys[place] = FlowRowKey(flow: flow)
    }
    try fill()
  }

  /// A memory file as the arena is one, all of it there before anything is measured.
  private static func memory(_ bytes: Int, touched: Bool = true) throws -> ByteRegion {
    let size = (bytes + 4095) / 4096 * 4096
    let file = try SharedMemory.make(name: "vtcp-bench", size: size)
    let region = try SharedMemory.map(file.rawValue, size: size, offset: 0)
    if touched { region.fill(with: 0) }
    return region
  }

  private func fill() throws {
    for flow in 0..<flows {
      guard let record = records.allocate(), chunks.allocate() != nil else { throw BenchError("a pool is too small") }
      records[record].key = FlowRowKey(flow: flow)
      guard index.insert(record, hash: records[record].key.hash(hash)) else {
        throw BenchError("the index is too small")
      }
    }
    for place in 0..<flows { records[order[place]].next = order[(place + 1) % flows] }
    reached = order[0]
  }

  /// Nanoseconds a call, over all flows in random order, a sample for each 8192 calls.
  func measure(_ row: Row, batch: Int) -> (least: Double, median: Double) {
    samples.removeAll(keepingCapacity: true)
    prepare(row)
    let calls = 8_192
    for first in stride(from: 0, to: flows - calls + 1, by: calls) {
      let start = MonotonicClock.now()
      for place in stride(from: first, to: first + calls, by: batch) { run(row, place, batch) }
      samples.append(Double((MonotonicClock.now() - start).nanoseconds) / Double(calls))
    }
    for place in (flows / calls * calls)..<flows { run(row, place, 1) }
    if row == .due { finishDue() }
    samples.sort()
    return (samples.first ?? 0, samples.isEmpty ? 0 : samples[samples.count / 2])
  }

  /// What must be so before.
  private func prepare(_ row: Row) {
    switch row {
    case .armLater, .cancel, .armEarlier, .due:
      // Retransmission timeouts of connections whose last acknowledgments came at any time within 100 ms.
      for place in 0..<flows { wheel.arm(order[place], at: now + .microseconds(200_000 + Int64(place % 100_000))) }
    case .armIdle:
      for place in 0..<flows { wheel.cancel(order[place]) }
      now = now + .seconds(2)
      finishDue()
    case .release where records.inUse == 0: for _ in 0..<flows { _ = records.allocate() }
    case .releaseChunk where chunks.inUse == 0: for _ in 0..<flows { _ = chunks.allocate() }
    case .take where records.inUse > 0: for place in 0..<flows { records.free(order[place]) }
    case .takeChunk where chunks.inUse > 0: for place in 0..<flows { chunks.free(order[place]) }
    case .remove where index.count == 0: for place in 0..<flows { run(.insert, place, 1) }
    case .insert where index.count > 0: for place in 0..<flows { run(.remove, place, 1) }
    case .memory, .lookup, .release, .take, .releaseChunk, .takeChunk, .remove, .insert: break
    }
    if row == .due { now = now + .milliseconds(350) }
  }

  private func finishDue() {
    var budget = Int.max
    while wheel.popDue(budget: &budget, now: now) != nil {}
  }
}
