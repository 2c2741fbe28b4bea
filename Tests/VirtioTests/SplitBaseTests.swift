// SPDX-License-Identifier: Apache-2.0

import Memory
import Testing
@testable import Virtio

/// Where a split ring starts, given what the front-end says and what stands in the ring.
@Suite struct SplitBaseTests {
  @Test(
    "A split ring starts at its base if it can be there, else behind what was given back", arguments: [0, 1, 0xfffe])
  func startsWhereItCanBe(used: Int) throws {
    let size = 4
    let bed = try RingBed(.split, size: size)
    for available in 0...size {
      for base in -10...10 {
        bed.memory.store(UInt16(truncatingIfNeeded: used), at: RingBed.deviceOffset + 2)
        bed.memory.store(UInt16(truncatingIfNeeded: used + available), at: RingBed.driverOffset + 2)
        let queue = try bed.startedQueue(base: UInt32(UInt16(truncatingIfNeeded: used + base)))
        var list = ChainList(chains: 8, vectors: 8)
        defer { list.deallocate() }
        let expected = (0...available).contains(base) ? used + base : used
        let position = queue.stop(returning: &list)
        #expect(
          position == UInt32(UInt16(truncatingIfNeeded: expected)), "\(base) from \(used), available \(available)")
      }
    }
  }
}
