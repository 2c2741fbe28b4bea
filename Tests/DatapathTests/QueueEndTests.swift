// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling
import Testing
import Timekeeping

@testable import Datapath
@testable import Virtio

@Suite("Queue end: when a driver hears of what was done")
struct QueueEndTests {
  /// A split ring whose driver wants to hear of everything, and a queue end that serves it.
  private final class Bed {
    static let guestAddress: UInt64 = 0x10000
    private static let availableOffset = 4096
    private static let usedOffset = 8192
    private static let dataOffset = 16384

    let memory = ByteRegion.allocate(count: 65536, alignment: 4096)
    let guest = GuestMemory()
    let end: QueueEnd
    private let journal = ByteRegion.allocate(count: RingJournal.byteCount)
    private let counters = ByteRegion.allocate(count: 4096)

    init(queue: Int, size: Int) throws {
      let (address, bytes) = (Self.guestAddress, memory)
      guest.add(try #require(GuestRegion(guestAddress: address, userAddress: address, mapping: bytes)))
      end = QueueEnd(
        index: queue, memory: guest, journal: RingJournal(over: journal), counters: QueueCounters(over: counters))
      let areas = RingAreas(
        format: .split, size: size, descriptorAddress: address, driverAddress: address + UInt64(Self.availableOffset),
        deviceAddress: address + UInt64(Self.usedOffset), memory: guest)
      let setup = QueueSetup(
        format: .split, size: UInt16(size), areas: try #require(areas), descriptorAddress: address, eventIndex: false,
        notifyOnEmpty: false, base: 0)
      _ = end.start(setup, kick: nil)
      end.call = try EventDescriptor.make()
    }

    deinit {
      guest.deallocate()
      for region in [memory, journal, counters] { region.deallocate() }
    }

    /// Buffers of 64 bytes, made available and taken.
    func take(_ count: Int) {
      let flags: UInt16 = end.queue.direction == .deviceWritable ? 2 : 0
      for index in 0..<count {
        memory.store(Self.guestAddress + UInt64(Self.dataOffset + 64 * index), at: 16 * index)
        memory.store(UInt32(64), at: 16 * index + 8)
        memory.store(UInt32(flags), at: 16 * index + 12)
        memory.store(UInt16(index), at: Self.availableOffset + 4 + 2 * index)
      }
      memory.store(UInt16(count), at: Self.availableOffset + 2)
      #expect(end.queue.pop(limit: count, into: &end.chains) == count)
    }

    var usedIndex: UInt16 { memory.load(at: Self.usedOffset + 2) }
  }

  @Test(
    "Of a quarter of the ring, or 64 buffers, it hears before the turn ends; of fewer later",
    arguments: [(256, 63, 0), (256, 64, 1), (8, 1, 0), (8, 2, 1)])
  func transmitted(size: Int, count: Int, notifications: UInt64) throws {
    let bed = try Bed(queue: 1, size: size)
    bed.take(count)
    bed.end.queue.completeFirst(count, of: &bed.end.chains)
    bed.end.untold = count
    bed.end.publish()
    bed.end.notifyOfManyTransmitted()
    #expect(bed.end.counters[.notifications] == notifications)
    // What is left waits for its time.
    let now = Instant(nanoseconds: 1)
    #expect((bed.end.notifyOfTransmitted(now: now) != nil) == (notifications == 0))
    _ = bed.end.notifyOfTransmitted(now: now + .milliseconds(1))
    #expect(bed.end.counters[.notifications] == 1)
  }

  @Test("What is handed over is seen and told of at once, and not told of again")
  func handedOver() throws {
    let bed = try Bed(queue: 0, size: 8)
    bed.take(3)
    bed.end.queue.completeWritten(100, chains: 2, of: &bed.end.chains)
    bed.end.hasUnpublished = true
    #expect(bed.usedIndex == 0)
    bed.end.handOver()
    #expect(bed.usedIndex == 2 && bed.end.counters[.notifications] == 1)
    bed.end.handOver()
    bed.end.notifyIfDue()
    #expect(bed.usedIndex == 2 && bed.end.counters[.notifications] == 1)
  }
}
