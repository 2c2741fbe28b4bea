// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Testing
import Wire

@Suite("A frame grows by an option of its TCP header")
struct OptionInsertionTests {
  /// What becomes of the frame, and of its bytes if it is to stay.
  private func inserted(
    _ bytes: [UInt8], size: UInt16, isPartial: Bool = false, room: Int? = nil
  ) throws -> [UInt8]? {
    try ParsedFrame.with(bytes) { parsed in
      let target = ByteRegion.allocate(count: room ?? bytes.count + 4)
      defer { target.deallocate() }
      let count = OptionInsertion.copy(
        parsed.head, parsed.layout, parsed.segment, checksumIsPartial: isPartial, adding: size, into: target)
      #expect(parsed.head.bytes == bytes, "the frame itself was changed")
      return count.map { target.slice(from: 0, count: $0).bytes }
    }
  }

  /// A frame of any shape, maybe with Ethernet's padding behind it, and the same with the option, both written from nothing.
  private func random(_ seed: Int, size: UInt16) -> (
    frame: FrameSpecification, padding: [UInt8], larger: FrameSpecification
  ) {
    var generator = SplitMix64(seed: UInt64(seed))
    var frame = FrameSpecification.randomSegment(payloadLength: seed % 30, using: &generator)
    if seed % 3 == 0 { frame.tcpOptions = [] }
    let padding = generator.bytes(
      Int.random(in: -4...8, using: &generator) < 1 ? 0 : Int.random(in: 1...8, using: &generator))
    var larger = frame
    larger.tcpOptions = [2, 4, UInt8(size >> 8), UInt8(size & 0xff)] + frame.tcpOptions
    return (frame, padding, larger)
  }

  private func takes(_ frame: FrameSpecification) -> Bool {
    var offset = 0
    while offset < frame.tcpOptions.count {
      guard frame.tcpOptions[offset] != 2 else { return false }
      offset += frame.tcpOptions[offset] == 1 ? 1 : Int(frame.tcpOptions[offset + 1])
    }
    return frame.tcpOptions.count <= 36
  }

  @Test("What comes out is the frame as it would be with the option, octet for octet", arguments: 0..<2000)
  func grows(seed: Int) throws {
    let size = UInt16(truncatingIfNeeded: seed &* 7919)
    let (frame, padding, larger) = random(seed, size: size)
    let after = try inserted(frame.encode() + padding, size: size)
    let wanted = takes(frame) ? larger.encode() + padding.dropFirst(4) : nil
    #expect(after == wanted, "\(frame) and \(padding.count) octets")
    if let after { #expect(larger.isChecksumValid(Array(after.prefix(larger.encode().count)))) }
  }

  /// The sum of the pseudo-header, as virtio 1.3, 5.1.6.2, wants it in the field.
  private func partial(_ frame: FrameSpecification) -> [UInt8] {
    var bytes = frame.encode()
    let segment = Array(bytes[frame.transportOffset...])
    let sum = NaiveChecksum.sum(Array(frame.checksummedBytes(segment).dropLast(segment.count)))
    bytes.replaceSubrange(
      frame.transportOffset + 16..<frame.transportOffset + 18, with: [UInt8(sum >> 8), UInt8(sum & 0xff)])
    return bytes
  }

  @Test("A partial checksum is one of the longer segment", arguments: 0..<500)
  func partialChecksum(seed: Int) throws {
    let (frame, padding, larger) = random(seed, size: 1460)
    let after = try inserted(partial(frame) + padding, size: 1460, isPartial: true)
    #expect(after == (takes(frame) ? partial(larger) + padding.dropFirst(4) : nil), "\(frame)")
  }

  @Test("A wrong checksum stays wrong, of TCP and of IP", arguments: 0..<200)
  func wrong(seed: Int) throws {
    let (frame, _, larger) = random(seed, size: 9)
    var bytes = frame.encode()
    bytes[frame.transportOffset + 16] ^= 0x10
    if frame.ipVersion == 4 { bytes[frame.networkOffset + 10] ^= 0x20 }
    guard takes(frame), let after = try inserted(bytes, size: 9) else { return }
    #expect(!larger.isChecksumValid(after))
    let header = after[frame.networkOffset..<frame.networkOffset + frame.networkHeaderLength]
    #expect(frame.ipVersion == 6 || NaiveChecksum.sum(Array(header)) != 0xffff)
  }

  @Test("Without room for it, in the header or where it is to lie, there is no frame")
  func noRoom() throws {
    var frame = FrameSpecification()
    #expect(try inserted(frame.encode(), size: 1, room: 57) == nil)
    #expect(try inserted(frame.encode(), size: 1, room: 58)?.count == 58)
    frame.tcpOptions = [253, 36] + [UInt8](repeating: 9, count: 34)
    #expect(try inserted(frame.encode(), size: 1)?.count == 94)
    frame.tcpOptions = [253, 40] + [UInt8](repeating: 9, count: 38)
    #expect(try inserted(frame.encode(), size: 1) == nil)
    // What can't be read to its end.
    frame.tcpOptions = [3, 4, 1, 1]
    #expect(try inserted(frame.encode(), size: 1) == nil)
  }
}
