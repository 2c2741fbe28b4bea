// SPDX-License-Identifier: Apache-2.0

import Memory

/// The counters of one virtqueue, in memory that others may read while we write.
///
/// One thread writes; a reader sees each counter whole (64-bit stores), not all of them at one moment.
struct QueueCounters {
  private let values: RecordBuffer<UInt64>

  /// `region` holds at least 8 bytes a counter.
  init(over region: ByteRegion) {
    values = RecordBuffer(over: region)
  }

  @inline(__always)
  func add(_ counter: QueueCounter, _ amount: Int = 1) {
    values[counter.rawValue] &+= UInt64(truncatingIfNeeded: amount)
  }

  /// Goes on counting from what another process, or host, has counted. `number` is a counter's raw value.
  func goOn(_ number: Int, from value: UInt64) { values[number] &+= value }

  subscript(counter: QueueCounter) -> UInt64 { values[counter.rawValue] }
}
