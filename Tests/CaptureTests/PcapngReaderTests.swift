// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Testing
import Timekeeping

@testable import Capture

@Suite struct PcapngReaderTests {
  private static func sample() -> [UInt8] {
    let rig = CaptureRig()
    var frame = FrameSpecification()
    frame.payload = [1, 2, 3]
    for place in 0..<3 { rig.show(frame.encode(), CapturePoint(.network, .inbound), "number \(place)") }
    _ = rig.capture.finish(now: .init(nanoseconds: 9))
    return rig.take()
  }

  private static func read(_ octets: [UInt8]) throws -> Int {
    var reader = PcapngReader()
    reader.take(octets)
    var count = 0
    while try reader.next() != nil { count += 1 }
    return count
  }

  @Test("What is no pcapng is refused")
  func refusals() throws {
    #expect(throws: PcapngError.notPcapng) { try Self.read(Array("GET / HTTP/1.1\r\n\r\n".utf8)) }
    var swapped = Self.sample()
    swapped.replaceSubrange(8..<12, with: swapped[8..<12].reversed())
    #expect(throws: PcapngError.otherByteOrder) { try Self.read(swapped) }
    var long = Self.sample()
    long[7] = 0x7f
    #expect(throws: PcapngError.self) { try Self.read(long) }
  }

  @Test("Each octet of a file may be anything: there are packets or an error, never a trap")
  func hostile() throws {
    var random = SplitMix64(seed: 11)
    let sample = Self.sample()
    #expect(try Self.read(sample) == 3)
    var refused = 0
    for _ in 0..<30_000 {
      var octets = sample
      for _ in 0...Int(random.next() % 4) {
        octets[Int(random.next() % UInt64(octets.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      octets = Array(octets.prefix(Int(random.next() % UInt64(octets.count + 1))))
      do { #expect(try Self.read(octets) <= 3) } catch is PcapngError { refused += 1 }
    }
    #expect(refused > 1000)
  }
}
