// SPDX-License-Identifier: Apache-2.0

import Arena
import Memory
import Timekeeping

extension FlowTables {
  /// `batch` calls, for the flows from `place` on. In a batch, what all of them will touch is asked for before, as a turn of the
  /// datapath can for the frames that it has at hand.
  @inline(__always)
  func run(_ row: Row, _ place: Int, _ batch: Int) {
    switch row {
    case .memory: each(place, batch) { _ in reached = records[reached].next }
    case .lookup: batch == 1 ? lookUp(place) : lookUpAll(place, batch)
    case .armLater: timers(place, batch) { $0.arm($1, at: now + .microseconds(320_000)) }
    case .armEarlier: timers(place, batch) { $0.arm($1, at: now + .microseconds(500 + Int64(place & 8191))) }
    case .armIdle: timers(place, batch) { $0.arm($1, at: now + .microseconds(200_000 + Int64(place & 65535))) }
    case .cancel: timers(place, batch) { $0.cancel($1) }
    case .due: takeDue(batch)
    case .release: each(place, batch) { records.free(order[$0]) }
    case .take: each(place, batch) { _ in _ = records.allocate() }
    case .releaseChunk: each(place, batch) { chunks.free(order[$0]) }
    case .takeChunk: each(place, batch) { _ in _ = chunks.allocate() }
    case .remove: changeIndex(place, batch) { index.remove(order[$0], hash: $1) }
    case .insert: changeIndex(place, batch) { _ = index.insert(order[$0], hash: $1) }
    }
  }

  @inline(__always)
  private func each(_ place: Int, _ batch: Int, _ call: (Int) -> Void) {
    for number in place..<place + batch { call(number) }
  }

  @inline(__always)
  private func timers(_ place: Int, _ batch: Int, _ call: (TimerWheel, RecordIndex) -> Void) {
    if batch > 1 { each(place, batch) { wheel.prefetch(order[$0]) } }
    each(place, batch) { call(wheel, order[$0]) }
  }

  @inline(__always)
  private func changeIndex(_ place: Int, _ batch: Int, _ call: (Int, UInt64) -> Void) {
    if batch > 1 { each(place, batch) { index.prefetch(keys[$0].hash(hash)) } }
    each(place, batch) { call($0, keys[$0].hash(hash)) }
  }

  private func takeDue(_ batch: Int) {
    var budget = Int.max
    for _ in 0..<batch { _ = wheel.popDue(budget: &budget, now: now) }
  }

  @inline(__always)
  private func lookUp(_ place: Int) {
    let found = find(keys[place], index.firstCandidate(keys[place].hash(hash)))
    records[found].touched &+= 1
  }

  /// In steps, each of which asks for what the next one touches.
  private func lookUpAll(_ place: Int, _ batch: Int) {
    for number in 0..<batch {
      hashes[number] = keys[place + number].hash(hash)
      index.prefetch(hashes[number])
    }
    for number in 0..<batch {
      candidates[number] = index.firstCandidate(hashes[number])
      records.prefetch(candidates[number].index)
    }
    for number in 0..<batch {
      let found = find(keys[place + number], candidates[number])
      records[found].touched &+= 1
    }
  }

  @inline(__always)
  private func find(_ key: FlowRowKey, _ first: FlowCandidate) -> RecordIndex {
    var candidate = first
    while !candidate.index.isNone {
      if records[candidate.index].key == key { return candidate.index }
      candidate = index.nextCandidate(after: candidate)
    }
    preconditionFailure("a flow is not found")
  }
}
