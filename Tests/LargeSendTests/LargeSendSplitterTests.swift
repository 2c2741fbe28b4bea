// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import LargeSend
import Memory
import Packets
import Testing
import Wire

@Suite("Large send: the first stage, frames that the next one takes out of one larger")
struct LargeSendSplitterTests {
  private func limits(_ bytes: Int, _ segments: Int = EgressLimits.mostSegments) -> EgressLimits {
    EgressLimits(ipv4Bytes: bytes, ipv6Bytes: bytes, segments: segments)
  }

  private func tcp(_ version: Int, _ payload: Int, _ generator: inout SplitMix64) -> FrameSpecification {
    var frame = FrameSpecification()
    frame.ipVersion = version
    frame.tcpOptions = [1, 1, 8, 10, 0, 1, 2, 3, 4, 5, 6, 7]
    frame.control = 0x99
    frame.payload = generator.bytes(payload)
    return frame
  }

  /// Everything that R64 and R66 say, of one frame.
  private func expectModel(
    _ frame: FrameSpecification, segmentSize: Int, _ limits: EgressLimits, resumes: Bool = false,
    _ generator: inout SplitMix64
  ) {
    var header = SegmentationModel.header(for: frame, segmentSize: segmentSize)
    if frame.transport == .tcp, frame.control & 0x80 != 0 { header.rawGSOType |= VirtioNetHeader.ecnBit }
    let bytes = SegmentationModel.largeFrame(frame, using: &generator)
    let pieces = SplittingModel.split(bytes, header, limits: limits, resumes: resumes, using: &generator) ?? []
    #expect(pieces == SplittingModel.pieces(of: frame, header, limits: limits))
    #expect(pieces.flatMap { $0.bytes[frame.payloadOffset...] } == frame.payload)
    #expect(SplittingModel.segments(of: pieces) == SegmentationModel.split(bytes, header))
    for (index, piece) in pieces.enumerated() {
      let payload = piece.bytes.count - frame.payloadOffset
      if index < pieces.count - 1 { #expect(payload % segmentSize == 0) }
      guard payload > segmentSize else {
        #expect(!piece.header.needsSegmentation)
        continue
      }
      #expect(piece.bytes.count <= (frame.ipVersion == 4 ? limits.ipv4Bytes : limits.ipv6Bytes))
      #expect(payload <= limits.segments * segmentSize)
    }
  }

  @Test("R64, R66: frames of any shape, segment size and limits", arguments: 0..<600)
  func any(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    let frame = FrameSpecification.random(payloadLength: .random(in: 1...4000, using: &generator), using: &generator)
    let segmentSize = max(Int.random(in: 1...2000, using: &generator) >> Int.random(in: 0...5, using: &generator), 16)
    let limits = EgressLimits(
      ipv4Bytes: .random(in: 0...5000, using: &generator), ipv6Bytes: .random(in: 0...5000, using: &generator),
      segments: .random(in: 0...30, using: &generator))
    expectModel(frame, segmentSize: segmentSize, limits, resumes: seed % 2 == 0, &generator)
  }

  @Test(
    "R64: frames of 64 to 512 KiB under the limits of real devices",
    arguments: [
      (16_383, 65_536), (31_999, 24), (63_999, 64), (63_487, 65_536), (65_535, 65_535), (262_143, 65_535),
      (524_279, 65_535),
    ], [4, 6])
  func large(limit: (bytes: Int, segments: Int), version: Int) {
    var generator = SplitMix64(seed: UInt64(limit.bytes))
    for payload in [65_536, 523_000] {
      let frame = tcp(version, payload, &generator)
      expectModel(frame, segmentSize: 1448, limits(limit.bytes, limit.segments), &generator)
    }
  }

  @Test("Danger 58: 522,794 bytes in segments of 8")
  func manySegments() throws {
    var generator = SplitMix64(seed: 58)
    let frame = tcp(4, 522_794 - 66, &generator)
    let header = SegmentationModel.header(for: frame, segmentSize: 8)
    let pieces = try #require(
      SplittingModel.split(frame.encode(), header, limits: limits(65_535, 64), using: &generator))
    #expect(pieces.count == (522_728 + 511) / 512)
    #expect(pieces == SplittingModel.pieces(of: frame, header, limits: limits(65_535, 64)))
  }

  @Test("R66: each field of each piece is that of its place")
  func fields() throws {
    var generator = SplitMix64(seed: 66)
    var frame = tcp(4, 1000, &generator)
    frame.control = 0xf9
    frame.urgentPointer = 450
    var header = SegmentationModel.header(for: frame, segmentSize: 100)
    header.rawGSOType |= VirtioNetHeader.ecnBit
    // Four segments of 100 bytes, their headers, and a little.
    let pieces = try #require(
      SplittingModel.split(frame.encode(), header, limits: limits(66 + 499), using: &generator))
    #expect(pieces.map { $0.bytes.count - 66 } == [400, 400, 200])
    #expect(pieces.map { $0.bytes[34 + 13] } == [0b1111_0000, 0b0111_0000, 0b0101_1001])
    #expect(pieces.map { word($0.bytes, 34 + 18) } == [450, 50, 0])
    #expect(pieces.map { word($0.bytes, 18) } == [0xfffe, 2, 6])
    #expect(pieces.map { word($0.bytes, 16) } == [452, 452, 252])
    #expect(pieces.map { $0.header.rawGSOType } == [0x81, 1, 1])
    #expect(pieces.allSatisfy { $0.bytes[54..<66] == frame.encode()[54..<66] })
  }

  private func word(_ bytes: [UInt8], _ offset: Int) -> UInt16 {
    UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
  }

  @Test("Of an IPv4 packet beyond 65,535 bytes the total length is 0; IPv6 and UDP are kept within", arguments: [4, 6])
  func beyondSixteenBits(version: Int) throws {
    var generator = SplitMix64(seed: 16)
    var frame = tcp(version, 300_000, &generator)
    for transport in [FrameSpecification.Transport.tcp, .udp] {
      frame.transport = transport
      let header = SegmentationModel.header(for: frame, segmentSize: 1400)
      let pieces = try #require(
        SplittingModel.split(frame.encode(), header, limits: limits(200_000), using: &generator))
      let isBig = version == 4 && transport == .tcp
      #expect(pieces.count == (isBig ? 2 : 5))
      #expect((word(pieces[0].bytes, frame.networkOffset + (version == 4 ? 2 : 4)) == 0) == isBig)
    }
  }

  @Test("All wire forms of one packet give the same pieces", arguments: 0..<60)
  func forms(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    var frame = FrameSpecification.random(payloadLength: 70_000, using: &generator)
    frame.ipVersion = 6
    frame.transport = .tcp
    frame.extensionHeaders = seed % 3 == 0 ? [.destinationOptions(units: 2)] : []
    let header = SegmentationModel.header(for: frame, segmentSize: 1220)
    let bytes = frame.encode()
    let expected = SplittingModel.pieces(of: frame, header, limits: .ordinary)
    #expect(SplittingModel.split(bytes, header, limits: .ordinary, using: &generator) == expected)
    let plain = try #require(takeOut(SplittingModel.jumbo(bytes, networkOffset: frame.networkOffset)))
    #expect(plain.count == bytes.count)
    #expect(SplittingModel.split(plain, header, limits: .ordinary, using: &generator) == expected)
  }

  /// What `JumboPayload` leaves of the frame; nil if nothing was taken out.
  private func takeOut(_ bytes: [UInt8]) -> [UInt8]? {
    ByteRegion.with(Array(bytes.prefix(256))) { head in
      guard let layout = FrameLayout(parsing: head, frameLength: bytes.count),
        JumboPayload.remove(from: head, layout, frameLength: bytes.count)
      else { return nil }
      return head.slice(from: 0, count: head.count - JumboPayload.headerLength).bytes + bytes.dropFirst(256)
    }
  }

  @Test("A jumbogram's header is taken out of that form only, and the length is put right")
  func jumboForm() throws {
    var frame = FrameSpecification()
    frame.ipVersion = 6
    frame.payload = [UInt8](repeating: 7, count: 1000)
    let bytes = frame.encode()
    let jumbo = SplittingModel.jumbo(bytes, networkOffset: 14)
    #expect(takeOut(jumbo) == bytes)
    #expect(takeOut(bytes) == nil)
    // Next header, payload length, header length, option, option length.
    for place in [14 + 6, 14 + 4, 14 + 5, 14 + 41, 14 + 42, 14 + 43] {
      var other = jumbo
      other[place] ^= 1
      #expect(takeOut(other) == nil, "\(place)")
    }
    for count in 0..<62 { #expect(takeOut(Array(jumbo.prefix(count))) == nil, "\(count)") }
    frame.ipVersion = 4
    #expect(takeOut(frame.encode()) == nil)
  }

  @Test("What passes as it is is not more than the limits, and what does not is more")
  func admission() throws {
    var generator = SplitMix64(seed: 1)
    for version in [4, 6] {
      let frame = tcp(version, 10_000, &generator)
      let count = frame.encode().count
      #expect(try admit(frame, 1000, limits(count)))
      #expect(try !admit(frame, 1000, limits(count - 1)))
      #expect(try admit(frame, 1000, limits(count, 10)))
      #expect(try !admit(frame, 1000, limits(count, 9)))
      // Of one segment, whatever the limits are.
      #expect(try admit(frame, 10_000, limits(0, 0)))
      #expect(try !admit(frame, 9_999, limits(0, 0)))
    }
    let largest = tcp(4, 65_535 - 52, &generator)
    #expect(try admit(largest, 1000, .ordinary))
    #expect(try !admit(tcp(4, 65_536 - 52, &generator), 1000, .ordinary))
  }

  private func admit(_ frame: FrameSpecification, _ segmentSize: Int, _ limits: EgressLimits) throws -> Bool {
    let bytes = frame.encode()
    let layout = try #require(ByteRegion.with(bytes) { FrameLayout(parsing: $0, frameLength: $0.count) })
    let header = SegmentationModel.header(for: frame, segmentSize: segmentSize)
    guard case .valid(let request) = OffloadCheck(header: header, layout: layout, frameLength: bytes.count) else {
      throw SplitFailure.refused
    }
    return limits.admit(request)
  }

  private enum SplitFailure: Error { case refused }

  @Test("R71, danger 58: what can't be split is refused")
  func refusals() throws {
    var generator = SplitMix64(seed: 58)
    var frame = tcp(4, 1000, &generator)
    let header = SegmentationModel.header(for: frame, segmentSize: 100)
    let bytes = frame.encode()
    func isRefused(_ bytes: [UInt8], _ header: VirtioNetHeader, head: Int = 256, from position: Int = 0) -> Bool {
      SplittingModel.split(
        bytes, header, limits: limits(300), headCount: head, from: position, using: &generator) == nil
    }
    #expect(!isRefused(bytes, header))
    #expect(!isRefused(bytes, header, head: 66))
    #expect(isRefused(bytes, header, head: 65))
    #expect(!isRefused(bytes, header, from: 300) && !isRefused(bytes, header, from: 1000))
    for position in [-100, 50, 1100] { #expect(isRefused(bytes, header, from: position), "\(position)") }
    var checksumOnly = header
    checksumOnly.rawGSOType = 0
    #expect(isRefused(bytes, checksumOnly))
    for bit in [UInt8(0x02), 0x04] {
      frame.control = 0x10 | bit
      #expect(isRefused(frame.encode(), header))
    }
    frame.control = 0x10
    frame.payload = []
    #expect(isRefused(frame.encode(), header))
  }

  @Test("Damaged frames and requests are refused or lose nothing", arguments: 0..<300)
  func damaged(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    let frame = FrameSpecification.random(payloadLength: 300, using: &generator)
    var bytes = frame.encode()
    for _ in 0..<Int.random(in: 0...3, using: &generator) {
      bytes[Int.random(in: 12..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
    }
    var header = SegmentationModel.header(for: frame, segmentSize: Int.random(in: 1...60, using: &generator))
    header.headerLength = .random(in: 0...0xffff, using: &generator)
    let limits = limits(.random(in: 0...400, using: &generator), .random(in: 0...9, using: &generator))
    let split = SplittingModel.split(
      bytes, header, limits: limits, headCount: .random(in: 14...300, using: &generator), using: &generator)
    guard let split, let first = split.first else { return }
    let headerLength = first.header.needsSegmentation ? Int(first.header.headerLength) : payloadOffset(bytes)
    #expect(split.flatMap { $0.bytes[headerLength...] } == Array(bytes[headerLength...]))
  }

  private func payloadOffset(_ bytes: [UInt8]) -> Int {
    ByteRegion.with(bytes) { FrameLayout(parsing: $0, frameLength: $0.count)?.payloadOffset ?? 0 }
  }

  @Test("Vectors without room change nothing")
  func noRoom() throws {
    var generator = SplitMix64(seed: 2)
    let frame = tcp(4, 1000, &generator)
    let header = SegmentationModel.header(for: frame, segmentSize: 100)
    try ByteRegion.with(frame.encode()) { region in
      let layout = try #require(FrameLayout(parsing: region, frameLength: region.count))
      guard case .valid(let request) = OffloadCheck(header: header, layout: layout, frameLength: region.count) else {
        throw SplitFailure.refused
      }
      let vectors = RecordBuffer<IOVector>(capacity: 12, repeating: .none)
      let slot = ByteRegion.allocate(count: LargeSendSplitter.slotLength)
      defer {
        vectors.deallocate()
        slot.deallocate()
      }
      for index in 0..<10 { vectors[index] = IOVector(region.slice(from: 66 + index * 100, count: 100)) }
      var splitter = try #require(
        LargeSendSplitter(
          head: region.slice(from: 0, count: 66), rest: VectorCursor(vectors, first: 0, end: 10), header: header,
          request: request, limits: limits(66 + 200)))
      #expect(splitter.next(into: slot, vectors: vectors, at: 10) == nil)
      #expect(splitter.next(into: slot, vectors: vectors, at: 12) == nil)
      #expect(splitter.position == 0 && !splitter.isDone)
    }
  }
}
