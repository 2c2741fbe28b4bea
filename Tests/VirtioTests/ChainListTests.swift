// SPDX-License-Identifier: Apache-2.0

import Memory
import Testing

@testable import Virtio

@Suite("Chain list: what was popped stays what it was")
struct ChainListTests {
  private func fill(_ bed: RingBed, chains: Int) {
    for index in 0..<chains {
      let address = RingBed.guestAddress + UInt64(RingBed.dataOffset + 32 * index)
      let flags = RingBed.next
      switch bed.format {
      case .split:
        bed.writeSplit(2 * index, address, 5 + index, flags, next: 2 * index + 1)
        bed.writeSplit(2 * index + 1, address + 16, 3, 0, next: 0)
      case .packed:
        bed.writePacked(2 * index + 1, address + 16, 3, 0x80, id: index)
        bed.writePacked(2 * index, address, 5 + index, flags | 0x80, id: 0)
      }
    }
    if bed.format == .split { bed.makeAvailable((0..<chains).map { 2 * $0 }) }
  }

  private func contents(_ list: ChainList, _ bed: RingBed) -> [[BufferRange]] {
    (list.first..<list.end).map { bed.vectors(of: list.chains[$0], in: list) }
  }

  @Test(arguments: [RingFormat.split, .packed], 1..<8)
  func compactionKeepsChainsAndVectors(format: RingFormat, removed: Int) throws {
    let bed = try RingBed(format, size: 16)
    fill(bed, chains: 8)
    var list = ChainList(chains: 8, vectors: 0)
    defer { list.deallocate() }
    let queue = try bed.startedQueue()
    #expect(queue.pop(limit: 8, into: &list) == 8)
    let before = contents(list, bed)
    queue.completeFirst(removed, of: &list)
    list.compact()
    #expect(list.first == 0 && list.firstVector == 0)
    #expect(contents(list, bed) == Array(before[removed...]))
    #expect(list.byteCount == before[removed...].joined().reduce(0) { $0 + $1.length })
  }

  @Test(arguments: [RingFormat.split, .packed], 0..<8)
  func rewoundChainsArePoppedAgainAsTheyWere(format: RingFormat, completed: Int) throws {
    let bed = try RingBed(format, size: 16)
    fill(bed, chains: 8)
    var list = ChainList(chains: 8, vectors: 0)
    defer { list.deallocate() }
    let queue = try bed.startedQueue()
    #expect(queue.pop(limit: 8, into: &list) == 8)
    let before = contents(list, bed)
    let ids = (0..<8).map { list.chains[$0].id }
    queue.completeFirst(completed, of: &list)
    queue.rewind(&list)
    #expect(list.isEmpty && list.byteCount == 0)
    #expect(queue.pop(limit: 8, into: &list) == 8 - completed)
    #expect(contents(list, bed) == Array(before[completed...]))
    #expect((list.first..<list.end).map { list.chains[$0].id } == Array(ids[completed...]))
  }

  @Test func listTakesNoMoreThanItHasRoomFor() throws {
    let bed = try RingBed(.split, size: 16)
    fill(bed, chains: 8)
    var list = ChainList(chains: 3, vectors: 0)
    defer { list.deallocate() }
    let queue = try bed.startedQueue()
    #expect(queue.pop(limit: 8, into: &list) == 3)
    #expect(list.isFull)
    #expect(queue.pop(limit: 8, into: &list) == 0)
    queue.completeFirst(2, of: &list)
    #expect(queue.pop(limit: 8, into: &list) == 2)
    #expect(queue.fault == nil && queue.hasAvailable)
  }

  @Test func bytesAreGivenBackChainByChainWithoutGaps() throws {
    let bed = try RingBed(.split, size: 16)
    fill(bed, chains: 4)
    var list = ChainList(chains: 8, vectors: 0)
    defer { list.deallocate() }
    let queue = try bed.startedQueue()
    #expect(queue.pop(limit: 8, into: &list) == 4)
    // Chains of 8, 9, 10 and 11 bytes.
    #expect([1, 8, 9, 17, 18, 27, 28, 38].map { queue.chainsHolding($0, in: list) } == [1, 1, 2, 2, 3, 3, 4, 4])
    #expect(queue.chainsHolding(39, in: list) == nil)
    queue.completeWritten(18, chains: 3, of: &list)
    _ = queue.publish()
    let lengths = (0..<3).map { bed.memory.load(UInt32.self, at: RingBed.deviceOffset + 8 + 8 * $0) }
    #expect(lengths == [8, 9, 1])
    #expect(bed.memory.load(UInt16.self, at: RingBed.deviceOffset + 2) == 3)
  }
}
