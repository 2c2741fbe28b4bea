// SPDX-License-Identifier: Apache-2.0

import Memory
import Testing

@testable import Virtio

@Suite("Guest memory: addresses to bytes, region by region")
struct GuestMemoryTests {
  private func region(_ address: UInt64, _ mapping: ByteRegion) throws -> GuestRegion {
    try GuestRegion(guestAddress: address, userAddress: address, mapping: mapping).orThrow()
  }

  @Test func everyRangeOverTwoAdjoiningRegionsIsCutWhereTheyMeet() throws {
    let bytes = ByteRegion.allocate(count: 64)
    let memory = GuestMemory()
    defer {
      memory.deallocate()
      bytes.deallocate()
    }
    // Adjoining for the guest, apart and in the other order here.
    memory.add(try region(0x1010, bytes.slice(from: 0, count: 16)))
    memory.add(try region(0x1000, bytes.slice(from: 32, count: 16)))
    let list = ChainList(chains: 4, vectors: 0)
    defer { list.deallocate() }
    for start in 0..<40 {
      for length in 0..<40 {
        var builder = ChainBuilder(memory: memory, list: list, direction: .deviceReadable)
        builder.add(address: 0x1000 + UInt64(start), length: UInt32(length), flags: [])
        let isMapped = length == 0 || start + length <= 32
        #expect(builder.isSound == isMapped, "\(start) \(length)")
        guard isMapped else { continue }
        let pieces = [min(max(16 - start, 0), length), length - min(max(16 - start, 0), length)].filter { $0 > 0 }
        #expect(builder.vectorEnd - builder.firstVector == pieces.count)
        #expect(builder.byteCount == length)
        for (index, piece) in pieces.enumerated() { #expect(list.vectors[index].byteCount == piece) }
        guard length > 0 else { continue }
        let first = start < 16 ? 32 + start : start - 16
        #expect(list.vectors[0].region?.base == bytes.base + first)
      }
    }
  }

  @Test func addressesAtTheEndOfTheAddressSpaceNeitherTrapNorWrap() throws {
    let bytes = ByteRegion.allocate(count: 32)
    let memory = GuestMemory()
    defer {
      memory.deallocate()
      bytes.deallocate()
    }
    memory.add(try region(0, bytes.slice(from: 0, count: 16)))
    memory.add(try region(UInt64.max - 16, bytes.slice(from: 16, count: 16)))
    #expect(GuestRegion(guestAddress: .max - 15, userAddress: 0, mapping: bytes.slice(from: 0, count: 16)) == nil)
    #expect(GuestRegion(guestAddress: 0, userAddress: .max - 15, mapping: bytes.slice(from: 0, count: 16)) == nil)
    #expect(GuestRegion(guestAddress: 0, userAddress: 0, mapping: bytes.slice(from: 0, count: 0)) == nil)
    let list = ChainList(chains: 4, vectors: 0)
    defer { list.deallocate() }
    for back in UInt64(0)..<40 {
      for length in [UInt32(0), 1, 2, 15, 16, 17, 40, .max - 1, .max] {
        let address = UInt64.max - back
        var builder = ChainBuilder(memory: memory, list: list, direction: .deviceReadable)
        builder.add(address: address, length: length, flags: [])
        let end = address.addingReportingOverflow(UInt64(length))
        let isInside =
          address >= .max - 16 && !end.overflow && end.partialValue <= .max
          && (length == 0 || (address < .max && UInt64(length) <= .max - address))
        #expect(builder.isSound == (isInside || (length == 0)), "\(back) \(length)")
      }
    }
    #expect(memory.locate(.max, 1) == nil)
    #expect(memory.locate(.max - 1, 100)?.count == 1)
    #expect(memory.locate(15, .max)?.count == 1)
    #expect(memory.locate(16, 1) == nil)
    #expect(memory.area(userAddress: .max - 1, length: 2) == nil)
    #expect(memory.area(userAddress: 0, length: 0) == nil)
    #expect(memory.area(userAddress: 0, length: 16)?.count == 16)
  }

  @Test func removedRegionsAreMappedNoMore() throws {
    let bytes = ByteRegion.allocate(count: 48)
    let memory = GuestMemory()
    defer {
      memory.deallocate()
      bytes.deallocate()
    }
    for index in 0..<3 { memory.add(try region(UInt64(0x1000 * index), bytes.slice(from: 16 * index, count: 16))) }
    #expect(memory.locate(0x2000, 1) != nil)
    #expect(!memory.canAdd(try region(0x200f, bytes.slice(from: 0, count: 1))))
    #expect(memory.canAdd(try region(0x2010, bytes.slice(from: 0, count: 1))))
    memory.remove(at: 1)
    #expect(memory.locate(0x1000, 1) == nil)
    #expect(memory.locate(0x2000, 1)?.base == bytes.base + 32)
    memory.removeAll()
    #expect(memory.locate(0x2000, 1) == nil && memory.regionCount == 0)
  }
}
