// SPDX-License-Identifier: Apache-2.0

import Capture
import FrameSupport
import Testing

@testable import Administration

@Suite struct PacketLineTests {
  private static func packet(
    _ change: (inout FrameSpecification) -> Void, comment: String = "", missed: UInt64 = 0
  ) -> CapturedPacket {
    var frame = FrameSpecification()
    frame.payload = [1, 2, 3]
    change(&frame)
    let bytes = frame.encode()
    return CapturedPacket(
      interfaceName: "guest", direction: .inbound, time: 45_296_000_000_007, length: bytes.count,
      bytes: Array(bytes.dropLast(3)), comment: comment, missedBefore: missed)
  }

  @Test("A packet is a line: when, where, numbers that begin with the connection's, and what was done")
  func lines() {
    var line = PacketLine()
    defer { line.deallocate() }
    let first = line.text(Self.packet({ $0.sequenceNumber = 0xffff_fffe }, comment: "held: 3 octets"))
    #expect(first.hasPrefix("12:34:56.000000007 guest   > 192.0.2.1:49152 198.51.100.2:443 . seq 1:4 ack 1 win "))
    #expect(first.hasSuffix(" len 3 | held: 3 octets"))
    let second = line.text(Self.packet({ $0.sequenceNumber = 1 }, missed: 2))
    #expect(second.hasPrefix("(2 packets were missed)\n12:34:56") && second.contains(" seq 4:7 "))
  }

  @Test("Whatever the octets are, there is a line")
  func hostile() {
    var line = PacketLine()
    defer { line.deallocate() }
    var random = SplitMix64(seed: 7)
    let bytes = Self.packet { _ in }.bytes
    for _ in 0..<20_000 {
      var octets = Array(bytes.prefix(Int(random.next() % UInt64(bytes.count + 1))))
      for place in octets.indices where random.next() % 16 == 0 {
        octets[place] = UInt8(truncatingIfNeeded: random.next())
      }
      let packet = CapturedPacket(
        interfaceName: "network", direction: nil, time: random.next(), length: Int(random.next() % 70_000),
        bytes: octets,
        comment: "", missedBefore: 0)
      #expect(!line.text(packet).isEmpty)
    }
  }
}
