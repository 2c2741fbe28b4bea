// SPDX-License-Identifier: Apache-2.0

import Memory
import Testing

@Suite("Byte region: values in and out of raw memory")
struct ByteRegionTests {
  @Test func networkOrderIsBigEndianAtAnyAlignment() {
    let region = ByteRegion.allocate(count: 16)
    defer { region.deallocate() }
    region.storeNetworkOrder(UInt32(0x0102_0304), at: 3)
    #expect(Array(region.bytes[3..<7]) == [1, 2, 3, 4])
    #expect(region.networkOrder(UInt16.self, at: 4) == 0x0203)
  }

  @Test func recordsMoveOverOverlappingRanges() {
    let records = RecordBuffer<UInt32>(capacity: 8, repeating: 0)
    defer { records.deallocate() }
    for index in 0..<8 { records[index] = UInt32(index) }
    records.move(from: 2, to: 0, count: 6)
    #expect((0..<6).map { records[$0] } == [2, 3, 4, 5, 6, 7])
  }
}
