// SPDX-License-Identifier: Apache-2.0

import Memory
import Testing

@testable import Virtio

@Suite("Buffers that the front-end gave back while no device was there are passed over")
struct DroppedBufferTests {
  private static let size = 12

  /// The front-end's place is that of the last orderly stop, so it may be any where a chain began then.
  @Test(arguments: 1...4, [true, false])
  func driverGetsEachBufferBackOnceAndInOrder(slots: Int, wrap: Bool) throws {
    let chains = Self.size / slots
    var most = 0
    for served in 0...3 * chains {
      for posted in 0...chains {
        for place in 0..<chains {
          let dropped = try goOn(
            after: served, posted, slots: slots, DroppingFrontEnd(index: place * slots, wrap: wrap))
          most = max(most, dropped)
        }
      }
    }
    #expect(most == chains)
  }

  /// Returns how many the front-end dropped.
  private func goOn(after served: Int, _ posted: Int, slots: Int, _ stranger: DroppingFrontEnd) throws -> Int {
    let bed = try RingBed(.packed, size: Self.size)
    var driver = PackedDriver(size: Self.size)
    serve(served, slots, try bed.startedQueue(), &driver, bed)
    for _ in 0..<posted { driver.post(slots, in: bed.memory) }
    var frontEnd = stranger
    let dropped = frontEnd.dropAll(in: bed.memory, size: Self.size)
    // What it dropped where the driver looks, the driver has already.
    _ = try driver.collect(from: bed.memory).orThrow()
    let queue = try bed.startedQueue(base: 0x8000_8000)
    var list = ChainList(chains: 64, vectors: 0)
    defer { list.deallocate() }
    var taken = 0
    while true {
      let popped = queue.pop(limit: 2, into: &list)
      taken += popped
      let wasUntold = queue.hasUntold
      queue.completeFirst(popped, of: &list)
      #expect(queue.publish() == (popped > 0 || wasUntold), "the driver is to hear of it")
      guard popped > 0 else { break }
    }
    _ = try driver.collect(from: bed.memory).orThrow()
    #expect(driver.ids.isEmpty && taken == posted - dropped && queue.fault == nil)
    serve(2 * Self.size, slots, queue, &driver, bed)
    return dropped
  }

  /// `count` chains, one by one.
  private func serve(_ count: Int, _ slots: Int, _ queue: Virtqueue, _ driver: inout PackedDriver, _ bed: RingBed) {
    var list = ChainList(chains: 64, vectors: 0)
    defer { list.deallocate() }
    for _ in 0..<count {
      driver.post(slots, in: bed.memory)
      #expect(queue.pop(limit: 2, into: &list) == 1)
      queue.completeFirst(1, of: &list)
      _ = queue.publish()
      #expect(driver.collect(from: bed.memory) == 1)
    }
  }

  @Test("Also where the front-end moves its memory before the device comes there")
  func movedRing() throws {
    let bed = try RingBed(.packed, size: 4)
    var driver = PackedDriver(size: 4)
    serve(2 * 4 + 2, 1, try bed.startedQueue(), &driver, bed)
    for _ in 0..<4 { driver.post(1, in: bed.memory) }
    var frontEnd = DroppingFrontEnd(index: 0, wrap: false)
    #expect(frontEnd.dropAll(in: bed.memory, size: 4) == 2)
    let queue = try bed.startedQueue(base: 0x8000_8000)
    queue.move(to: try bed.setup())
    var list = ChainList(chains: 64, vectors: 0)
    defer { list.deallocate() }
    #expect(queue.pop(limit: 4, into: &list) == 2)
    queue.completeFirst(2, of: &list)
    _ = queue.publish()
    #expect(queue.pop(limit: 4, into: &list) == 0)
    #expect(driver.collect(from: bed.memory) == 4 && driver.ids.isEmpty)
    serve(8, 1, queue, &driver, bed)
  }

  @Test func ringThatWasNotResumedIsNotSearched() throws {
    let bed = try RingBed(.packed, size: 4)
    let queue = try bed.startedQueue()
    // Nobody was here before, so it is the driver's own doing.
    bed.writePacked(0, RingBed.guestAddress, 8, 0x8080, id: 1)
    bed.writePacked(1, RingBed.guestAddress, 8, 0x80, id: 2)
    var list = ChainList(chains: 64, vectors: 0)
    defer { list.deallocate() }
    #expect(queue.pop(limit: 4, into: &list) == 0)
  }

  /// A driver that makes every descriptor look so is none that gets anything, but it holds nobody up.
  @Test func searchEndsWhateverTheDriverWrites() throws {
    let bed = try RingBed(.packed, size: 8)
    var driver = PackedDriver(size: 8)
    serve(3, 1, try bed.startedQueue(), &driver, bed)
    let queue = try bed.startedQueue()
    var list = ChainList(chains: 64, vectors: 0)
    defer { list.deallocate() }
    for _ in 0..<10 {
      for index in 0..<8 { bed.writePacked(index, RingBed.guestAddress, 8, 0x8080, id: 1) }
      #expect(queue.pop(limit: 4, into: &list) == 0)
      for index in 0..<8 { bed.writePacked(index, RingBed.guestAddress, 8, 0, id: 1) }
      #expect(queue.pop(limit: 4, into: &list) == 0)
    }
  }
}
