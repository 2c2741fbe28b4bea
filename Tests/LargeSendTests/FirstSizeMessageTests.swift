// SPDX-License-Identifier: Apache-2.0

import LargeSend
import Memory
import Testing

@Suite("R61: what a NIC and its guest say of the first size") struct FirstSizeMessageTests {
  /// As docs/large-send.md has it.
  private static let octets: [UInt8] =
    [0x01, 0x80, 0xc2, 0, 0, 0x0e, 2, 0, 0, 0, 0, 0, 0x88, 0xb5, 0x76, 0x54, 0x6c, 0x73, 1, 2, 0, 0]
    + [1, 2, 3, 4, 5, 6, 7, 8, 0, 3, 0xff, 0xc7, 0, 3, 0xf1, 0xa3] + [UInt8](repeating: 0, count: 22)

  private static func decoded(_ octets: [UInt8]) -> FirstSizeMessage? {
    let region = ByteRegion.allocate(count: octets.count)
    defer { region.deallocate() }
    region.copy(from: octets)
    return FirstSizeMessage(decoding: region)
  }

  @Test("The octets are those that are documented, both ways")
  func octets() {
    let message = FirstSizeMessage(
      kind: .announcement, nonce: 0x0102_0304_0506_0708, sizes: FirstSizes(ipv4: 262_087, ipv6: 258_467))
    let region = ByteRegion.allocate(count: FirstSizeMessage.length)
    defer { region.deallocate() }
    region.fill(with: 0xff)
    message.encode(into: region)
    #expect(region.bytes == Self.octets)
    #expect(Self.decoded(Self.octets) == message)
  }

  @Test("Another name, version, kind or length is no such message", arguments: [12, 13, 14, 17, 18, 19])
  func others(place: Int) {
    var octets = Self.octets
    octets[place] ^= 0x40
    #expect(Self.decoded(octets) == nil)
    #expect(Self.decoded([UInt8](Self.octets.dropLast())) == nil)
    #expect(Self.decoded(Self.octets + [1]) != nil)
  }
}
