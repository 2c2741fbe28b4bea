// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Impairment
import Memory
import Testing
import Wire

@Suite("What a link does to octets")
struct FrameChangeTests {
  private func ipv4(_ field: UInt8, tags: Int = 0) -> [UInt8] {
    var frame = [UInt8](repeating: 2, count: 12)
    for _ in 0..<tags { frame += [0x81, 0x00, 0x00, 0x07] }
    frame += [0x08, 0x00]
    var header: [UInt8] = [0x45, 0x48 | field, 0, 60, 1, 2, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]
    let sum = NaiveChecksum.checksum(header)
    header[10] = UInt8(sum >> 8)
    header[11] = UInt8(sum & 0xff)
    return frame + header + [UInt8](repeating: 9, count: 40)
  }

  private func ipv6(_ field: UInt8) -> [UInt8] {
    var frame = [UInt8](repeating: 2, count: 12) + [0x86, 0xdd]
    frame += [0x6a, 0x8f | field << 4, 0xbc, 0xde, 0, 20, 6, 64] + [UInt8](repeating: 0xfd, count: 32)
    return frame + [UInt8](repeating: 9, count: 20)
  }

  @Test(arguments: [0, 1, 2])
  func congestionIsMarkedInIPv4AndTheChecksumIsRight(tags: Int) {
    for field in [1, 2] as [UInt8] {
      ByteRegion.with(ipv4(field, tags: tags)) { frame in
        let before = frame.bytes
        #expect(FrameChange.markCongestion(frame))
        let start = 14 + 4 * tags
        #expect(frame.bytes[start + 1] == 0x4b)
        #expect(NaiveChecksum.checksum(Array(frame.bytes[start..<start + 20])) == 0)
        let changed = zip(before, frame.bytes).enumerated().filter { $1.0 != $1.1 }.map(\.offset)
        #expect(Set(changed).isSubset(of: [start + 1, start + 10, start + 11]))
      }
    }
  }

  @Test func congestionIsMarkedInIPv6() {
    for field in [1, 2] as [UInt8] {
      ByteRegion.with(ipv6(field)) { frame in
        var expected = frame.bytes
        expected[15] = 0xbf
        #expect(FrameChange.markCongestion(frame))
        #expect(frame.bytes == expected)
      }
    }
  }

  @Test func framesThatCanNotBearAMarkAreNotChanged() {
    let arp = [UInt8](repeating: 2, count: 12) + [0x08, 0x06] + [UInt8](repeating: 1, count: 28)
    for frame in [
      ipv4(0), ipv4(3), ipv6(0), ipv6(3), arp, Array(ipv4(2).prefix(30)), Array(ipv6(2).prefix(40)), [1, 2],
    ] {
      ByteRegion.with(frame) { region in
        #expect(!FrameChange.markCongestion(region))
        #expect(region.bytes == frame)
      }
    }
  }

  @Test func oneBitIsTurnedOver() {
    for bit in 0..<800 {
      ByteRegion.with([UInt8](repeating: 0x5a, count: 100)) { frame in
        FrameChange.corrupt(frame, bit: bit)
        let changed = frame.bytes.enumerated().filter { $1 != 0x5a }
        #expect(changed.count == 1 && changed[0].offset == bit / 8)
        #expect(changed[0].element ^ 0x5a == 0x80 >> UInt8(bit % 8))
      }
    }
  }
}
