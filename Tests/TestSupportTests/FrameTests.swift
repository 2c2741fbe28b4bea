// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@Suite struct FrameTests {
  static let kinds = FrameBuilder.Internet.allCases.flatMap { internet in
    FrameBuilder.Transport.allCases.map { (internet, $0) }
  }

  @Test("A built frame verifies, and no octet of it can change unseen", arguments: kinds)
  func checksums(kind: (FrameBuilder.Internet, FrameBuilder.Transport)) throws {
    var builder = FrameBuilder(kind.0, kind.1, payload: FrameBuilder.pattern(33))
    builder.vlan = 7
    let frame = builder.frame()
    try FrameReader(frame).verifyChecksums()
    #expect(try FrameReader(frame).payload == builder.payload)
    var broken = frame
    broken[frame.count - 5] ^= 0x40
    #expect(throws: TestFailure.self) { try FrameReader(broken).verifyChecksums() }
    builder.checksum = .partial
    #expect(throws: TestFailure.self) { try FrameReader(builder.frame()).verifyChecksums() }
  }

  @Test("A TCP segment of RFC 1071's making has the sum that was worked out by hand")
  func knownSum() {
    // RFC 1071 section 3's example.
    #expect(InternetSum.of([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]) == 0xddf2)
  }

  @Test("Parts that do not follow each other do not reassemble")
  func gaps() throws {
    var first = FrameBuilder(.v4, .tcp, payload: FrameBuilder.pattern(100))
    first.flags = 0x10
    var second = FrameBuilder(.v4, .tcp, payload: FrameBuilder.pattern(50, seed: 1))
    second.sequence = first.sequence &+ 100
    #expect(
      try FrameReader.reassemble([first.frame(), second.frame()], mtu: 1500) == first.payload + second.payload)
    second.sequence &+= 1
    #expect(throws: TestFailure.self) { try FrameReader.reassemble([first.frame(), second.frame()], mtu: 1500) }
  }
}
