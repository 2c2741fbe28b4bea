// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Testing
import Wire

@Suite("Segments are written from a template of the end in whose name they are")
struct SegmentTemplateTests {
  private func fields(_ generator: inout SplitMix64) -> SegmentFields {
    var fields = SegmentFields(
      sequenceNumber: SequenceNumber(rawValue: .random(in: 0...UInt32.max, using: &generator)),
      acknowledgmentNumber: SequenceNumber(rawValue: .random(in: 0...UInt32.max, using: &generator)),
      flags: TCPFlags(rawValue: .random(in: 0...UInt16.max, using: &generator)).intersection(.all),
      window: .random(in: 0...UInt16.max, using: &generator),
      payloadCount: Int.random(in: 0...3000, using: &generator))
    fields.urgentPointer = .random(in: 0...UInt16.max, using: &generator)
    fields.identification = .random(in: 0...UInt16.max, using: &generator)
    fields.ecnCodepoint = ECNCodepoint(trafficClass: .random(in: 0...255, using: &generator))
    if Bool.random(using: &generator) {
      fields.timestamps = TCPTimestamps(
        value: .random(in: 0...UInt32.max, using: &generator), echo: .random(in: 0...UInt32.max, using: &generator))
    }
    for _ in 0..<Int.random(in: 0...4, using: &generator) {
      let start = SequenceNumber(rawValue: .random(in: 0...UInt32.max, using: &generator))
      fields.sackBlocks.append(SequenceRange(start: start, count: 1448))
    }
    return fields
  }

  /// Writes a segment of `frame`'s end, in memory that held something else, with a payload behind it.
  private func write(_ frame: FrameSpecification, _ fields: SegmentFields) throws -> ([UInt8], WrittenHeader) {
    try ParsedFrame.with(frame.encode()) { parsed in
      let template = SegmentTemplate(copying: parsed.head, parsed.layout, parsed.segment)
      let source = Endpoint(sourceOf: parsed.segment, in: parsed.head, parsed.layout)
      let destination = Endpoint(destinationOf: parsed.segment, in: parsed.head, parsed.layout)
      let room = ByteRegion.allocate(count: SegmentTemplate.maximumHeaderLength)
      defer { room.deallocate() }
      room.fill(with: 0xdb)
      let written = template.write(into: room, from: source, to: destination, fields)
      #expect(room.bytes[written.length...].allSatisfy { $0 == 0xdb } || written.length < 24)
      var generator = SplitMix64(seed: 5)
      return (Array(room.bytes[..<written.length]) + generator.bytes(fields.payloadCount), written)
    }
  }

  /// What a device does for VIRTIO_NET_HDR_F_NEEDS_CSUM: the sum from `csum_start` on, its field included.
  private func complete(_ bytes: inout [UInt8], _ written: WrittenHeader) {
    let checksum = NaiveChecksum.checksum(Array(bytes[written.checksumStart...]))
    let field = written.checksumStart + TCPField.checksum
    bytes.replaceSubrange(field..<field + 2, with: [UInt8(checksum >> 8), UInt8(checksum & 0xff)])
  }

  private func plain(_ generator: inout SplitMix64) -> FrameSpecification {
    var frame = FrameSpecification.randomSegment(payloadLength: 10, using: &generator)
    frame.extensionHeaders = []
    return frame
  }

  @Test(arguments: 0..<1000)
  func aWrittenSegmentReadsAsItsFieldsSay(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let frame = plain(&generator)
    let fields = fields(&generator)
    let (bytes, written) = try write(frame, fields)
    try ParsedFrame.with(bytes) { parsed in
      let segment = parsed.segment
      #expect(segment.sourcePort == frame.sourcePort && segment.destinationPort == frame.destinationPort)
      #expect(segment.sequenceNumber == fields.sequenceNumber && segment.flags == fields.flags)
      #expect(segment.acknowledgmentNumber == fields.acknowledgmentNumber && segment.reservedBits == 0)
      #expect(segment.window == fields.window && segment.urgentPointer == fields.urgentPointer)
      #expect(segment.payloadCount == fields.payloadCount && segment.payloadOffset == written.length)
      #expect(segment.headerOffset == written.checksumStart && segment.doesNotFragment)
      #expect(segment.identification == (frame.ipVersion == 4 ? fields.identification : 0))
      #expect(segment.ecnCodepoint == fields.ecnCodepoint && segment.hopLimit == 64)
      #expect(segment.trafficClass & 0xfc == 0 && !segment.hasIPv4Options)
      #expect(segment.flowLabel == (frame.ipVersion == 6 ? 0x23456 : 0))
      #expect(segment.options.timestamps == fields.timestamps)
      let blocks = segment.options.sackBlocks(in: parsed.head)
      #expect(blocks.count == min(fields.sackBlocks.count, fields.timestamps == nil ? 4 : 3))
      for index in 0..<blocks.count { #expect(blocks[index] == fields.sackBlocks[index]) }
      // Ethernet header, tags and addresses are those of the frame it was made from.
      let original = frame.encode()
      #expect(bytes[..<frame.networkOffset] == original[..<frame.networkOffset])
      let addresses = frame.networkOffset + (frame.ipVersion == 4 ? 12 : 8)
      #expect(
        bytes[addresses..<written.checksumStart] == original[addresses..<addresses + (frame.ipVersion == 4 ? 8 : 32)])
    }
  }

  @Test(arguments: 0..<500)
  func itsChecksumsAreRightOnceThePartialOneIsCompleted(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    var frame = plain(&generator)
    frame.ipOptionsLength = 0
    let fields = fields(&generator)
    var (bytes, written) = try write(frame, fields)
    if frame.ipVersion == 4 {
      #expect(NaiveChecksum.sum(Array(bytes[frame.networkOffset..<written.checksumStart])) == 0xffff)
    }
    let field = written.checksumStart + TCPField.checksum
    // The partial checksum is that of the pseudo-header, not complemented.
    let pseudo = frame.checksummedBytes(Array(bytes[written.checksumStart...])).dropLast(
      bytes.count - written.checksumStart)
    #expect(UInt16(bytes[field]) << 8 | UInt16(bytes[field + 1]) == NaiveChecksum.sum(Array(pseudo)))
    complete(&bytes, written)
    #expect(frame.isChecksumValid(bytes))
    try ParsedFrame.with(bytes) { parsed in
      var checksum = TransportChecksum(parsed.head, parsed.layout, parsed.segment)
      checksum.add(parsed.head.suffix(from: written.length))
      #expect(checksum.isValid)
    }
  }

  @Test(arguments: [4, 6])
  func aPacketOfMoreThan64KiBHasALengthOfZero(version: Int) throws {
    var frame = FrameSpecification()
    frame.ipVersion = version
    let zero = SequenceNumber(rawValue: 0)
    var fields = SegmentFields(sequenceNumber: zero, acknowledgmentNumber: zero, flags: .ack, window: 1)
    let headers = version == 4 ? 40 : 20
    fields.payloadCount = 65535 - headers
    #expect(ParsedFrame.segment(try write(frame, fields).0)?.payloadCount == fields.payloadCount)
    fields.payloadCount += 1
    var (bytes, written) = try write(frame, fields)
    #expect(ParsedFrame.segment(bytes) == nil)
    #expect(ParsedFrame.segment(bytes, isLarge: true)?.payloadCount == fields.payloadCount)
    complete(&bytes, written)
    #expect(frame.isChecksumValid(bytes))
  }

  @Test func aTemplateKeepsTheCodepointOfNoSegment() throws {
    try ParsedFrame.with(FrameSpecification().encode()) { parsed in
      #expect(parsed.segment.trafficClass == 2)
      let template = SegmentTemplate(copying: parsed.head, parsed.layout, parsed.segment)
      #expect(template.trafficClass == 0 && template.hopLimit == 64 && template.ipVersion == 4)
    }
  }

  @Test func aTemplateTakes32BytesOfAFlow() {
    #expect(MemoryLayout<SegmentTemplate>.size == 32)
    #expect(SegmentTemplate.maximumHeaderLength == 122)
  }

  @Test(arguments: [4, 6])
  func theTwoEndsOfAFrameAreThoseOfItsReply(version: Int) throws {
    var there = FrameSpecification()
    there.ipVersion = version
    var back = there
    swap(&back.sourceAddress, &back.destinationAddress)
    swap(&back.sourcePort, &back.destinationPort)
    let (source, destination) = try ParsedFrame.with(there.encode()) {
      (
        Endpoint(sourceOf: $0.segment, in: $0.head, $0.layout),
        Endpoint(destinationOf: $0.segment, in: $0.head, $0.layout)
      )
    }
    try ParsedFrame.with(back.encode()) {
      #expect(Endpoint(sourceOf: $0.segment, in: $0.head, $0.layout) == destination)
      #expect(Endpoint(destinationOf: $0.segment, in: $0.head, $0.layout) == source)
    }
    #expect(source.port == there.sourcePort && source != destination)
    #expect(source.addressLow == (version == 4 ? 0xc000_0201 : 0xc000_0201))
    #expect(source.addressHigh == (version == 4 ? 0 : 0x2001_0db8_0000_0000))
  }
}
