// SPDX-License-Identifier: Apache-2.0

import Impairment
import Memory
import Packets
import Timekeeping
import Uplinks

/// Frames from one interface to the other.
final class RelayDirection {
  private static let batch = 32

  private let source: FrameSource
  private let sink: Uplink
  private let store: FrameStore
  private var link: ImpairedLink
  private var queue: DepartureQueue
  private var counters = RelayCounters()
  private let frames = RecordBuffer<OutgoingFrame>(
    capacity: batch, repeating: OutgoingFrame(firstVector: 0, vectorCount: 1, byteCount: 0, index: 0))
  private let vectors = RecordBuffer<IOVector>(capacity: batch, repeating: .none)
  /// Frames in `frames` that the sink has not taken yet.
  private var pending = 0..<0

  /// - Parameters:
  ///   - longest: octets of a frame that the sink takes.
  init(
    from source: Uplink, to sink: Uplink, _ settings: ImpairmentSettings, seed: UInt64, capacity: Int, longest: Int,
    now: Instant
  ) throws {
    self.source = FrameSource(source)
    self.sink = sink
    store = try FrameStore(capacity: capacity, longest: longest)
    link = ImpairedLink(settings, seed: seed, now: now)
    queue = DepartureQueue(capacity: capacity)
  }

  deinit {
    frames.deallocate()
    vectors.deallocate()
  }

  /// When there is something to do next; nil: when something arrives.
  func deadline(now: Instant) -> Instant? { pending.isEmpty ? queue.next : now + .milliseconds(1) }

  func report(now: Instant) -> String {
    counters.json(
      queue: link.waiting(now), longestQueue: link.longestQueue,
      errors: sink.counters.sendErrors &+ sink.counters.sendDropped)
  }

  /// Takes what has arrived, up to `budget` frames.
  ///
  /// - Returns: whether there may be more.
  func receive(budget: Int, now: Instant) -> Bool {
    for _ in 0..<budget {
      switch source.next({ arrived($0, $1, now) }) {
      case .none: return false
      case .frame: break
      case .refused: counters.refused += 1
      }
    }
    return true
  }

  private func arrived(_ first: ByteRegion, _ rest: ByteRegion, _ now: Instant) {
    let length = first.count + rest.count
    counters.arrived += 1
    counters.arrivedOctets += length
    switch link.arrive(length: length, now: now) {
    case .lost: counters.lost += 1
    case .lostInBurst: counters.lostInBursts += 1
    case .overflowed: counters.overflowed += 1
    case .leaves(let time, let isDuplicated, let isReordered, let isMarked, let corruptedBit):
      guard let slot = store.insert(first, rest) else {
        counters.noRoom += 1
        return
      }
      if isReordered { counters.reordered += 1 }
      if isMarked, FrameChange.markCongestion(store.frame(slot)) { counters.marked += 1 }
      queue.insert(slot, at: time)
      // The copy is of what it was: a link damages one of two.
      if isDuplicated { duplicate(slot, time) }
      guard let corruptedBit else { return }
      FrameChange.corrupt(store.frame(slot), bit: corruptedBit)
      counters.corrupted += 1
    }
  }

  private func duplicate(_ slot: Int, _ time: Instant) {
    guard let copy = store.copy(slot) else {
      counters.noRoom += 1
      return
    }
    counters.duplicated += 1
    queue.insert(copy, at: time)
  }

  /// Sends what leaves by now.
  func send(now: Instant) {
    repeat {
      if pending.isEmpty { fill(now) }
      guard !pending.isEmpty else { return }
      let outcome = sink.send(
        queue: 0, frames: frames, first: pending.lowerBound, count: pending.count, vectors: vectors)
      for place in pending.prefix(outcome.accepted) {
        let slot = Int(frames[place].index)
        counters.sent += 1
        counters.sentOctets += store.frame(slot).count
        store.remove(slot)
      }
      pending = pending.dropFirst(outcome.accepted)
    } while pending.isEmpty
  }

  private func fill(_ now: Instant) {
    var count = 0
    while count < Self.batch, let slot = queue.remove(now: now) {
      let region = store.withHeader(slot)
      vectors[count] = IOVector(region)
      frames[count] = OutgoingFrame(
        firstVector: Int32(count), vectorCount: 1, byteCount: Int32(region.count), index: Int32(slot))
      count += 1
    }
    pending = 0..<count
  }
}
