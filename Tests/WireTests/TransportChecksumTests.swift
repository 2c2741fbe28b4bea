// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Testing
import Wire

@Suite("TCP checksums are verified over headers and payload in pieces")
struct TransportChecksumTests {
  private func isValid(_ parsed: ParsedFrame, pieces: [Int] = []) -> Bool {
    var checksum = TransportChecksum(parsed.head, parsed.layout, parsed.segment)
    var offset = parsed.segment.payloadOffset
    for count in pieces {
      checksum.add(parsed.head.slice(from: offset, count: count))
      offset += count
    }
    checksum.add(parsed.head.suffix(from: offset))
    return checksum.isValid
  }

  @Test(arguments: 0..<500)
  func aRightChecksumIsValidHoweverThePayloadIsCut(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let payload = Int.random(in: 0...400, using: &generator)
    let frame = FrameSpecification.randomSegment(payloadLength: payload, using: &generator)
    var pieces: [Int] = []
    var left = payload
    while left > 0, pieces.count < 20 {
      pieces.append(Int.random(in: 0...left, using: &generator))
      left -= pieces.last ?? 0
    }
    let padding = generator.bytes(Int.random(in: 0...6, using: &generator))
    #expect(try ParsedFrame.with(frame.encode() + padding) { isValid($0, pieces: pieces) })
  }

  @Test(arguments: 0..<40)
  func anOctetChangedAnywhereMakesItInvalid(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let frame = FrameSpecification.randomSegment(payloadLength: 9, using: &generator)
    let right = frame.encode()
    for offset in frame.transportOffset..<right.count {
      var bytes = right
      bytes[offset] ^= 1 << UInt8.random(in: 0...7, using: &generator)
      guard let segment = ParsedFrame.segment(bytes) else { continue }
      guard segment.payloadOffset == frame.payloadOffset else { continue }
      #expect(try ParsedFrame.with(bytes) { isValid($0) } == false)
    }
  }

  @Test func aPayloadThatIsNotAllThereIsNotValid() throws {
    var frame = FrameSpecification()
    // Without the zeros the sum would be the same.
    frame.payload = [1, 2, 0, 0]
    try ParsedFrame.with(frame.encode()) { parsed in
      var checksum = TransportChecksum(parsed.head, parsed.layout, parsed.segment)
      checksum.add(parsed.head.slice(from: parsed.segment.payloadOffset, count: 2))
      #expect(checksum.missingCount == 2 && !checksum.isValid)
      checksum.add(parsed.head.slice(from: parsed.segment.payloadOffset + 2, count: 2))
      #expect(checksum.missingCount == 0 && checksum.isValid)
    }
  }

  @Test func aRouteWhoseEndIsNotKnownIsNotValid() throws {
    var frame = FrameSpecification()
    frame.ipVersion = 6
    frame.extensionHeaders = [.routing(type: 3, segmentsLeft: 1, addresses: 1)]
    #expect(try ParsedFrame.with(frame.encode()) { isValid($0) } == false)
  }

  @Test func aChecksumOfMoreThan64KiBCountsTheWholeLength() throws {
    var frame = FrameSpecification()
    frame.ipVersion = 6
    frame.payload = [UInt8](repeating: 0xa5, count: 150_001)
    var bytes = frame.encode()
    bytes.replaceSubrange(18..<20, with: [0, 0])
    #expect(try ParsedFrame.with(bytes, isLarge: true) { isValid($0) })
  }
}
