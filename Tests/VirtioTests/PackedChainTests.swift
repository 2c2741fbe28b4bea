// SPDX-License-Identifier: Apache-2.0

import Memory
import Testing

@testable import Virtio

@Suite("Packed ring: every chain that a small ring can hold")
struct PackedChainTests {
  private static let available: UInt16 = 0x80
  private static let used: UInt16 = 0x8000

  private struct Expected: Equatable {
    var id: UInt16
    var slots: UInt16
    var vectors: [BufferRange]?
  }

  private static func range(_ index: Int) -> BufferRange {
    BufferRange(RingBed.guestAddress + UInt64(RingBed.dataOffset + 64 * index), 10 + index)
  }

  /// The chains from the ring's start on, by the specification (2.8); nil at the end: one that does not end.
  private static func expected(_ flags: [UInt16]) -> [Expected?] {
    var result: [Expected?] = []
    var index = 0
    var wrap = true
    while (flags[index] & available != 0) == wrap, (flags[index] & used != 0) != wrap {
      var chain = Expected(id: 0, slots: 0, vectors: [])
      while true {
        guard chain.slots < flags.count else { return result + [nil] }
        let flag = flags[index]
        chain.slots += 1
        chain.id = UInt16(20 + index)
        // The write flag of a descriptor that refers to a table means nothing (2.8.7).
        if flag & 6 == RingBed.write || flag & 5 == 5 { chain.vectors = nil }
        chain.vectors?.append(range(flag & RingBed.indirect != 0 ? 100 : index))
        index += 1
        if index == flags.count {
          index = 0
          wrap.toggle()
        }
        if flag & RingBed.next == 0 { break }
      }
      result.append(chain)
    }
    return result
  }

  @Test(arguments: 1...4)
  func everyRingYieldsExactlyTheSoundChainsAndStopsAtOneWithoutEnd(size: Int) throws {
    let bed = try RingBed(.packed, size: size)
    let table = RingBed.guestAddress + UInt64(RingBed.tableOffset)
    bed.writePacked(0, Self.range(100).address, Self.range(100).length, 0, id: 0, offset: RingBed.tableOffset)
    // next, write, indirect; available, used.
    let count = 32
    var wrong = 0
    var total = 1
    for _ in 0..<size { total *= count }
    // The rings of four are too many for a test that is run often; every seventh of them covers all pairs.
    for number in stride(from: 0, to: total, by: size == 4 ? 7 : 1) {
      var rest = number
      let flags = (0..<size).map { index -> UInt16 in
        let choice = UInt16(rest % count)
        rest /= count
        let flag = choice & 7 | (choice & 8) << 4 | (choice & 16) << 11
        let isTable = flag & RingBed.indirect != 0
        let range = Self.range(index)
        bed.writePacked(index, isTable ? table : range.address, isTable ? 16 : range.length, flag, id: 20 + index)
        return flag
      }
      if try !Self.popsRightly(bed, flags) { wrong += 1 }
    }
    #expect(wrong == 0)
  }

  private static func popsRightly(_ bed: RingBed, _ flags: [UInt16]) throws -> Bool {
    let expected = Self.expected(flags)
    var list = ChainList(chains: 8, vectors: 0)
    defer { list.deallocate() }
    bed.journal.close()
    let queue = try bed.startedQueue()
    let endless = expected.contains { $0 == nil }
    while queue.pop(limit: 1, into: &list) > 0 {}
    guard (queue.fault == .endlessChain) == endless, list.count == expected.compactMap({ $0 }).count else {
      return false
    }
    for (index, chain) in expected.enumerated() {
      guard let chain else { continue }
      let popped = list.chains[list.first + index]
      guard popped.id == chain.id, popped.slots == chain.slots, popped.isSound == (chain.vectors != nil),
        bed.vectors(of: popped, in: list) == chain.vectors ?? []
      else { return false }
    }
    return true
  }

  /// DPDK's driver has the header of its tables so, and others at times (`vring_desc_init_indirect_packed`).
  @Test(arguments: [0, 1, 2], [BufferDirection.deviceReadable, .deviceWritable])
  func entriesOfATransmittedTableMayBeMarkedWritableButNoneOfAReceivedReadable(place: Int, direction: BufferDirection)
    throws
  {
    let bed = try RingBed(.packed, size: 4)
    let right = direction == .deviceWritable ? RingBed.write : 0
    for entry in 0..<3 {
      let range = Self.range(entry)
      let flags = entry == place ? right ^ RingBed.write : right
      bed.writePacked(entry, range.address, range.length, flags, id: 0, offset: RingBed.tableOffset)
    }
    bed.writePacked(0, RingBed.guestAddress + UInt64(RingBed.tableOffset), 48, RingBed.indirect | 1 << 7, id: 3)
    var list = ChainList(chains: 8, vectors: 0)
    defer { list.deallocate() }
    let queue = try bed.startedQueue(direction)
    #expect(queue.pop(limit: 1, into: &list) == 1)
    let isSound = direction == .deviceReadable
    #expect(list.chains[list.first].isSound == isSound)
    #expect(bed.vectors(of: list.chains[list.first], in: list) == (isSound ? (0..<3).map(Self.range) : []))
  }

  @Test(arguments: [1, 2, 3, 5, 32768])
  func positionsWrapWhereTheRingEnds(size: UInt16) {
    let steps = size == 32768 ? [1, 2, 32767, 32768] : Array(1...size)
    for start in size == 32768 ? [0, 1, 32766, 32767] : Array(0..<size) {
      for wrap in [false, true] {
        for step in steps {
          var position = PackedPosition(index: start, wrap: wrap)
          position.advance(by: step, size: size)
          let sum = Int(start) + Int(step)
          #expect(position.index == UInt16(sum % Int(size)))
          #expect(position.wrap == (sum >= Int(size) ? !wrap : wrap))
          #expect(PackedPosition(rawValue: position.rawValue) == position)
        }
      }
    }
  }
}
