// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import LargeSend
import Memory
import Testing
import Wire

@Suite("Checksum completion: what NEEDS_CSUM left for us")
struct ChecksumCompletionTests {
  /// `bytes` with the checksum that `header` asks for, or nil if it is refused.
  private func complete(_ bytes: [UInt8], _ header: VirtioNetHeader) -> [UInt8]? {
    ByteRegion.with(bytes) { frame in
      guard let layout = FrameLayout(parsing: frame, frameLength: frame.count),
        case .valid(let request) = OffloadCheck(header: header, layout: layout, frameLength: frame.count),
        ChecksumCompletion.complete(frame, request)
      else { return nil }
      return frame.bytes
    }
  }

  private func header(_ frame: FrameSpecification) -> VirtioNetHeader {
    var header = SegmentationModel.header(for: frame, segmentSize: 0)
    header.rawGSOType = 0
    return header
  }

  /// The frame as a guest hands it over: the sum of the pseudo-header, not complemented, in the checksum field.
  private func partial(_ frame: FrameSpecification) -> [UInt8] {
    var bytes = frame.encode()
    let length = bytes.count - frame.transportOffset
    let pseudo = frame.checksummedBytes([UInt8](repeating: 0, count: length))
    let sum = NaiveChecksum.sum(pseudo)
    let field = frame.transportOffset + frame.checksumOffset
    bytes.replaceSubrange(field..<field + 2, with: [UInt8(sum >> 8), UInt8(sum & 0xff)])
    return bytes
  }

  @Test(arguments: 0..<300)
  func aPartialChecksumOfAnyFrameBecomesTheWholeOne(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    let frame = FrameSpecification.random(
      payloadLength: .random(in: 0...1500, using: &generator), using: &generator)
    #expect(complete(partial(frame), header(frame)) == frame.encode())
  }

  @Test func paddingBehindAShortPacketChangesNothing() {
    var frame = FrameSpecification()
    frame.payload = [0xff]
    let padding = [UInt8](repeating: 0, count: 5)
    #expect(complete(partial(frame) + padding, header(frame)) == frame.encode() + padding)
  }

  @Test func aUDPChecksumOfZeroBecomesAllOnes() {
    var frame = FrameSpecification()
    frame.transport = .udp
    frame.payload = [1, 2, 3, 4, 0, 0]
    frame.payload.replaceSubrange(4..<6, with: frame.encode()[40..<42])
    #expect(complete(partial(frame), header(frame)).map { Array($0[40..<42]) } == [0xff, 0xff])
  }

  @Test("CVE-2024-11614: completing writes two bytes inside the frame, wherever the field is, or nothing")
  func everyPlaceOfTheField() {
    var generator = SplitMix64(seed: 3)
    let bytes = generator.bytes(64)
    var header = VirtioNetHeader()
    header.flags = .needsChecksum
    for start in 0...70 {
      for offset in 0...70 {
        header.checksumStart = UInt16(start)
        header.checksumOffset = UInt16(offset)
        let field = start + offset
        guard start >= 14, field + 2 <= bytes.count else {
          #expect(complete(bytes, header) == nil)
          continue
        }
        var expected = bytes
        let checksum = NaiveChecksum.checksum(Array(bytes[start...]))
        expected.replaceSubrange(field..<field + 2, with: [UInt8(checksum >> 8), UInt8(checksum & 0xff)])
        #expect(complete(bytes, header) == expected, "csum_start \(start), csum_offset \(offset)")
      }
    }
  }

  @Test func aFrameThatNeedsNoChecksumIsLeftAsItIs() {
    let bytes = FrameSpecification().encode()
    #expect(complete(bytes, VirtioNetHeader()) == bytes)
  }
}
