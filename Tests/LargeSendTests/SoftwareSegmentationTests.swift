// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import LargeSend
import Memory
import Testing
import Wire

@Suite("Software segmentation: TCP segments and UDP datagrams out of one large frame")
struct SoftwareSegmentationTests {
  private func expectModel(_ frame: FrameSpecification, segmentSize: Int, _ generator: inout SplitMix64) {
    let bytes = SegmentationModel.largeFrame(frame, using: &generator)
    let segments = SegmentationModel.split(bytes, SegmentationModel.header(for: frame, segmentSize: segmentSize))
    #expect(segments == SegmentationModel.segments(of: frame, segmentSize: segmentSize))
    expectPayloadAndChecksums(segments ?? [], frame)
  }

  /// Independent of the model: nothing of the payload is lost or moved, and a receiver accepts each segment.
  private func expectPayloadAndChecksums(_ segments: [[UInt8]], _ frame: FrameSpecification) {
    #expect(segments.flatMap { $0[frame.payloadOffset...] } == frame.payload)
    for segment in segments {
      let transport = Array(segment[frame.transportOffset...])
      #expect(NaiveChecksum.sum(frame.checksummedBytes(transport)) == 0xffff)
      guard frame.ipVersion == 4 else { continue }
      #expect(NaiveChecksum.sum(Array(segment[frame.networkOffset..<frame.transportOffset])) == 0xffff)
    }
  }

  @Test(arguments: 0..<400)
  func framesOfAnyShapeAndSegmentSizeSplitAsTheModelDoes(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    let frame = FrameSpecification.random(
      payloadLength: .random(in: 0...2500, using: &generator), using: &generator)
    let segmentSize = Int.random(in: 1...60000, using: &generator) >> Int.random(in: 0...9, using: &generator)
    expectModel(frame, segmentSize: max(segmentSize, 40), &generator)
  }

  @Test(
    "CVE-2026-100236: headers longer than gso_size leave every payload whole",
    arguments: [1, 2, 3, 7, 8, 20, 39, 40, 53, 54, 55, 66, 100], 0..<4)
  func headersLongerThanTheSegmentSize(segmentSize: Int, seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed * 1000 + segmentSize))
    let frame = FrameSpecification.random(payloadLength: 5 * segmentSize + seed, using: &generator)
    expectModel(frame, segmentSize: segmentSize, &generator)
  }

  @Test(
    "CVE-2026-68123: only the last segment is shorter, and by what it lacks itself",
    arguments: [1448 * 3 - 1, 1448 * 3, 1448 * 3 + 1, 1, 0])
  func theLastSegmentHasTheRest(payloadLength: Int) {
    var generator = SplitMix64(seed: UInt64(payloadLength))
    for transport in [FrameSpecification.Transport.tcp, .udp] {
      var frame = FrameSpecification()
      frame.transport = transport
      frame.payload = generator.bytes(payloadLength)
      expectModel(frame, segmentSize: 1448, &generator)
    }
  }

  @Test(arguments: [65535 - 54, 65536, 262_144, 1_048_576 - 54])
  func largeFramesUpToAMebibyteSplitAsTheModelDoes(payloadLength: Int) {
    var generator = SplitMix64(seed: UInt64(payloadLength))
    var frame = FrameSpecification()
    frame.payload = generator.bytes(payloadLength)
    expectModel(frame, segmentSize: payloadLength > 65536 ? 62000 : 1448, &generator)
  }

  @Test func theControlBitsOfEachSegmentAreThoseOfItsPlace() throws {
    var generator = SplitMix64(seed: 7)
    var frame = FrameSpecification()
    frame.control = 0xff & ~0x06
    frame.urgentPointer = 150
    frame.payload = generator.bytes(300)
    let header = SegmentationModel.header(for: frame, segmentSize: 100)
    let segments = try #require(SegmentationModel.split(frame.encode(), header))
    // CWR ECE URG ACK PSH RST SYN FIN.
    #expect(segments.map { $0[34 + 13] } == [0b1111_0000, 0b0111_0000, 0b0101_1001])
    #expect(segments.map { UInt16($0[34 + 18]) << 8 | UInt16($0[34 + 19]) } == [150, 50, 0])
    let sequenceNumbers = segments.map { $0[38..<42].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } }
    #expect(sequenceNumbers == [0xffff_ff00, 0xffff_ff64, 0xffff_ffc8])
  }

  @Test func identificationAndSequenceNumberGoOnOverTheirWraps() throws {
    var generator = SplitMix64(seed: 8)
    var frame = FrameSpecification()
    frame.payload = generator.bytes(400)
    let header = SegmentationModel.header(for: frame, segmentSize: 100)
    let segments = try #require(SegmentationModel.split(frame.encode(), header))
    #expect(segments.map { UInt16($0[18]) << 8 | UInt16($0[19]) } == [0xfffe, 0xffff, 0, 1])
    #expect(segments.last.map { Array($0[38..<42]) } == [0, 0, 0, 0x2c])
  }

  @Test(arguments: [4, 6])
  func aUDPChecksumOfZeroIsSentAsAllOnes(version: Int) throws {
    var frame = FrameSpecification()
    frame.ipVersion = version
    frame.transport = .udp
    // The last word of the payload takes up the checksum, so that what remains is zero.
    frame.payload = [1, 2, 3, 4, 0, 0]
    let checksum = frame.encode()[(frame.transportOffset + 6)..<(frame.transportOffset + 8)]
    frame.payload.replaceSubrange(4..<6, with: checksum)
    let header = SegmentationModel.header(for: frame, segmentSize: 6)
    let segments = try #require(SegmentationModel.split(frame.encode(), header))
    #expect(segments.map { Array($0[(frame.transportOffset + 6)..<(frame.transportOffset + 8)]) } == [[0xff, 0xff]])
  }

  @Test(arguments: [UInt8(0x02), 0x04])
  func aSegmentWithSYNOrRSTIsNotMadeSeveral(bit: UInt8) {
    var frame = FrameSpecification()
    frame.control |= bit
    frame.payload = [1, 2, 3]
    #expect(SegmentationModel.split(frame.encode(), SegmentationModel.header(for: frame, segmentSize: 2)) == nil)
    let whole = SegmentationModel.split(frame.encode(), SegmentationModel.header(for: frame, segmentSize: 3))
    #expect(whole == [frame.encode()])
  }

  @Test func headersLongerThanTheScratchAreRefused() {
    var frame = FrameSpecification()
    frame.ipVersion = 6
    frame.payload = [1, 2, 3]
    frame.extensionHeaders = [.destinationOptions(units: 22)]
    let header = SegmentationModel.header(for: frame, segmentSize: 2)
    #expect(frame.payloadOffset == 14 + 40 + 176 + 20)
    #expect(SegmentationModel.split(frame.encode(), header)?.count == 2)
    frame.extensionHeaders = [.destinationOptions(units: 23)]
    let longer = SegmentationModel.header(for: frame, segmentSize: 2)
    #expect(SegmentationModel.split(frame.encode(), longer) == nil)
  }

  @Test(arguments: 0..<40)
  func everyTruncationIsRefusedOrSplitsWhatIsLeft(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    let frame = FrameSpecification.random(payloadLength: 12, using: &generator)
    let bytes = frame.encode()
    let header = SegmentationModel.header(for: frame, segmentSize: 5)
    for length in 0...bytes.count {
      let segments = SegmentationModel.split(Array(bytes[..<length]), header)
      guard length >= frame.payloadOffset else {
        #expect(segments == nil)
        continue
      }
      var shorter = frame
      shorter.payload.removeLast(bytes.count - length)
      #expect(segments == SegmentationModel.segments(of: shorter, segmentSize: 5))
    }
  }

  @Test(arguments: 0..<300)
  func damagedFramesAndRequestsAreRefusedOrLoseNothing(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    let frame = FrameSpecification.random(payloadLength: 30, using: &generator)
    var bytes = frame.encode()
    for _ in 0..<Int.random(in: 0...3, using: &generator) {
      bytes[Int.random(in: 12..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
    }
    var header = SegmentationModel.header(for: frame, segmentSize: Int.random(in: 1...40, using: &generator))
    header.headerLength = .random(in: 0...0xffff, using: &generator)
    if Bool.random(using: &generator) { header.rawGSOType = [0, 1, 3, 4, 5, 0x81, 0x84, 0x85][seed % 8] }
    guard let segments = SegmentationModel.split(bytes, header) else { return }
    let headerLength = (segments.first?.count ?? 0) - min(Int(header.gsoSize), bytes.count - payloadOffset(bytes))
    #expect(segments.flatMap { $0[headerLength...] } == Array(bytes[headerLength...]))
  }

  private func payloadOffset(_ bytes: [UInt8]) -> Int {
    ByteRegion.with(bytes) { FrameLayout(parsing: $0, frameLength: $0.count)?.payloadOffset ?? 0 }
  }

  @Test func aFrameOfAnotherLengthThanTheCheckedOneIsRefused() throws {
    var frame = FrameSpecification()
    frame.payload = [1, 2, 3]
    let header = SegmentationModel.header(for: frame, segmentSize: 2)
    let refused = ByteRegion.with(frame.encode()) { region -> Bool? in
      guard let layout = FrameLayout(parsing: region, frameLength: region.count),
        case .valid(let request) = OffloadCheck(header: header, layout: layout, frameLength: region.count)
      else { return nil }
      let shorter = region.slice(from: 0, count: region.count - 1)
      return SoftwareSegmentation(frame: shorter, request: request) == nil
        && !ChecksumCompletion.complete(shorter, request)
    }
    #expect(refused == true)
  }
}
