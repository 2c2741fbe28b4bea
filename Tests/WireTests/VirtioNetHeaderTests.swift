// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Testing
import Wire

@Suite("Virtio-net header: virtio 1.3 section 5.1.6")
struct VirtioNetHeaderTests {
  @Test func fieldsLieWhereTheSpecificationHasThemLittleEndian() {
    let header = ByteRegion.with([0x01, 0x84, 0x42, 0x00, 0xa8, 0x05, 0x22, 0x01, 0x10, 0x00]) {
      VirtioNetHeader(decoding: $0)
    }
    #expect(header.flags == .needsChecksum)
    #expect(header.needsChecksum)
    #expect(header.gsoType == .tcpv6)
    #expect(header.hasECN)
    #expect(header.needsSegmentation)
    #expect(header.headerLength == 0x42)
    #expect(header.gsoSize == 1448)
    #expect(header.checksumStart == 0x122)
    #expect(header.checksumOffset == 16)
  }

  @Test(arguments: 0..<100)
  func anyBytesDecodeAndEncodeBackUnchanged(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    let bytes = generator.bytes(VirtioNetHeader.length)
    let header = ByteRegion.with(bytes) { VirtioNetHeader(decoding: $0) }
    let encoded = ByteRegion.with([UInt8](repeating: 0xee, count: VirtioNetHeader.lengthWithBufferCount)) { region in
      header.encode(into: region)
      return region.bytes
    }
    #expect(encoded == bytes + [0xee, 0xee])
  }

  @Test func anEmptyHeaderAsksForNothing() {
    let bytes = ByteRegion.with([UInt8](repeating: 0xee, count: 10)) { region in
      VirtioNetHeader().encode(into: region)
      return region.bytes
    }
    #expect(bytes == [UInt8](repeating: 0, count: 10))
    #expect(!VirtioNetHeader().needsSegmentation && !VirtioNetHeader().needsChecksum)
  }
}
