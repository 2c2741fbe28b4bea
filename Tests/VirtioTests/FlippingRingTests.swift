// SPDX-License-Identifier: Apache-2.0

import Foundation
import FrameSupport
import Memory
import Synchronization
import Testing

@testable import Virtio

/// A driver on another CPU that writes its rings, tables and indices while we read them.
@Suite("Rings that change while they are read") struct FlippingRingTests {
  /// Writes random bits over `region` on a thread of its own.
  private final class Flipper: Sendable {
    private let region: SharedRegion
    private let isStopped = Atomic<Bool>(false)
    private let hasEnded = Atomic<Bool>(false)

    init(_ region: ByteRegion, seed: UInt64) {
      self.region = SharedRegion(region)
      Thread.detachNewThread { [self] in
        var random = SplitMix64(seed: seed)
        while !isStopped.load(ordering: .relaxed) {
          for _ in 0..<256 {
            let value = random.next()
            let offset = Int(value >> 40) % (self.region.count / 8) * 8
            // One bit, so that most stays plausible; now and then all of them.
            let old = self.region.load64(at: offset)
            self.region.store64(value & 7 == 0 ? random.next() : old ^ (1 << (value & 63)), at: offset)
          }
        }
        hasEnded.store(true, ordering: .sequentiallyConsistent)
      }
    }

    func stop() {
      isStopped.store(true, ordering: .relaxed)
      while !hasEnded.load(ordering: .sequentiallyConsistent) { sched_yield() }
    }
  }

  @Test(
    "CVE-2020-14375, CVE-2026-93683, CVE-2026-86848: nothing leaves guest memory, whatever changes meanwhile",
    arguments: [RingFormat.split, .packed], [BufferDirection.deviceReadable, .deviceWritable])
  func everything(format: RingFormat, direction: BufferDirection) throws {
    let bed = try RingBed(format, size: 8)
    // Rings and tables; buffers lie behind.
    let flipper = Flipper(bed.memory.slice(from: 0, count: RingBed.dataOffset), seed: 7)
    defer { flipper.stop() }
    var list = ChainList(chains: 64, vectors: 0)
    defer { list.deallocate() }
    let queue = Virtqueue(direction: direction, memory: bed.guest, journal: bed.journal)
    var (sound, faults, outside) = (0, 0, 0)
    for round in 0..<3000 {
      seed(bed, UInt64(round), direction)
      bed.journal.close()
      if format == .split { bed.memory.store(UInt16(round & 7), at: RingBed.deviceOffset + 2) }
      queue.start(try bed.setup(base: format == .packed ? 0x8000_8000 : UInt32(round & 7), eventIndex: round % 2 == 0))
      for _ in 0..<8 {
        _ = queue.pop(limit: 16, into: &list)
        for index in list.first..<list.end {
          let chain = list.chains[index]
          sound += chain.isSound ? 1 : 0
          for place in 0..<Int(chain.vectorCount) {
            guard let region = list.vectors[Int(chain.firstVector) + place].region else { continue }
            let offset = region.base - bed.memory.base
            if offset < 0 || offset + region.count > bed.memory.count { outside += 1 }
          }
        }
        if direction == .deviceReadable {
          queue.completeFirst(list.count / 2, of: &list)
        } else {
          queue.completeWritten(100, chains: list.count / 2, of: &list)
        }
        _ = queue.publish()
        _ = queue.enableKicks()
        queue.disableKicks()
        queue.rewind(&list)
      }
      faults += queue.fault == nil ? 0 : 1
      _ = queue.stop(returning: &list)
    }
    #expect(outside == 0)
    #expect(sound > 0 && faults > 0, "\(sound) sound chains, \(faults) faults")
  }

  /// A ring and a table that make sense, for the flipper to spoil.
  private func seed(_ bed: RingBed, _ seed: UInt64, _ direction: BufferDirection) {
    let way = direction == .deviceWritable ? RingBed.write : 0
    let table = RingBed.guestAddress + UInt64(RingBed.tableOffset)
    for index in 0..<8 {
      let address = RingBed.guestAddress + UInt64(RingBed.dataOffset + 64 * index)
      let isTable = (UInt64(index) + seed) % 3 == 0 && seed % 16 != 0
      // Now and then a chain without end.
      let goesOn = !isTable && (index % 2 == 0 || seed % 16 == 0)
      let flags = (isTable ? RingBed.indirect : way) | (goesOn ? RingBed.next : 0)
      if bed.format == .split {
        bed.writeSplit(index, isTable ? table : address, isTable ? 64 : 40, flags, next: index + 1)
        bed.writeSplit(index, address, 9, way | RingBed.next, next: (index + 1) % 8, offset: RingBed.tableOffset)
      } else {
        bed.writePacked(index, isTable ? table : address, isTable ? 64 : 40, flags | 0x80, id: index)
        bed.writePacked(index, address, 9, way, id: 0, offset: RingBed.tableOffset)
      }
    }
    if bed.format == .split {
      bed.makeAvailable(Array(0..<8))
      bed.memory.store(UInt16(8), at: RingBed.driverOffset + 2)
    }
  }
}
