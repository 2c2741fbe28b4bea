// SPDX-License-Identifier: Apache-2.0

import Memory
import VhostUser

/// What the queues have counted. Section 2: virtqueues (u32), counters of each (u32), then the counters (u64 each) in the
/// order of `QueueCounter`, queue by queue.
struct CounterState {
  static let type: UInt16 = 2
  private static let header = 8
  /// More than any NIC has.
  private static let limit: UInt32 = 1024

  private let perQueue: Int
  private let values: [UInt64]

  init(_ ends: [QueueEnd]) {
    perQueue = QueueCounter.allCases.count
    values = ends.flatMap { end in QueueCounter.allCases.map { end.counters[$0] } }
  }

  init?(_ section: DeviceState.Section) {
    let region = ByteRegion.allocate(count: section.payload.count)
    defer { region.deallocate() }
    region.copy(from: section.payload)
    guard region.count >= Self.header else { return nil }
    let (queues, counters): (UInt32, UInt32) = (region.load(at: 0), region.load(at: 4))
    guard queues <= Self.limit, counters <= Self.limit, region.count == Self.header + 8 * Int(queues) * Int(counters)
    else { return nil }
    perQueue = Int(counters)
    values = (0..<Int(queues) * Int(counters)).map { region.load(at: Self.header + 8 * $0) }
  }

  var section: DeviceState.Section {
    let region = ByteRegion.allocate(count: Self.header + 8 * values.count)
    defer { region.deallocate() }
    region.store(UInt32(truncatingIfNeeded: perQueue == 0 ? 0 : values.count / perQueue), at: 0)
    region.store(UInt32(truncatingIfNeeded: perQueue), at: 4)
    for (index, value) in values.enumerated() { region.store(value, at: Self.header + 8 * index) }
    return DeviceState.Section(type: Self.type, mustBeUnderstood: false, payload: region.bytes)
  }

  /// Counters and queues that are not here are left out.
  func apply(to ends: [QueueEnd]) {
    for (index, value) in values.enumerated() {
      let (queue, counter) = index.quotientAndRemainder(dividingBy: perQueue)
      guard queue < ends.count, counter < QueueCounter.allCases.count else { continue }
      ends[queue].counters.goOn(counter, from: value)
    }
  }
}
