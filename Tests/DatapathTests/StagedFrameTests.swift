// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Testing
import Uplinks
import Wire

@testable import Datapath

@Suite("Staged frame: pieces that the taker can take")
struct StagedFrameTests {
  private final class Stage {
    let staged = StagedFrame()
    let counters: QueueCounters
    private let counterMemory = ByteRegion.allocate(count: 8 * QueueCounter.allCases.count)
    private let memory: ByteRegion

    init(_ header: VirtioNetHeader, _ frame: [UInt8]) {
      counters = QueueCounters(over: counterMemory)
      memory = .allocate(count: VirtioNetHeader.length + frame.count)
      header.encode(into: memory)
      memory.copy(from: frame, at: VirtioNetHeader.length)
    }

    deinit {
      counterMemory.deallocate()
      memory.deallocate()
    }

    func prepare(for taker: ReceiveOffloads) -> StagedFrame.Preparation {
      staged.stage(memory, for: taker, counters)
    }

    /// All pieces' bytes. Each is looked at twice, as by a taker that has to come back.
    func pieces() -> [[UInt8]] {
      var result: [[UInt8]] = []
      while let piece = staged.piece {
        let bytes = piece.first.bytes + piece.rest.bytes
        #expect(staged.piece.map { $0.first.bytes + $0.rest.bytes } == bytes && piece.byteCount == bytes.count)
        result.append(bytes)
        staged.advance()
      }
      return result
    }
  }

  /// A TCP frame of 2,500 bytes of payload, and the header that asks to have it cut by 1,000 or only completed.
  private func request(ipVersion: Int, segments: Bool) -> (VirtioNetHeader, FrameSpecification) {
    var frame = FrameSpecification()
    frame.ipVersion = ipVersion
    frame.payload = (0..<2500).map { UInt8(truncatingIfNeeded: $0 * 7) }
    var header = VirtioNetHeader()
    header.flags = .needsChecksum
    header.checksumStart = UInt16(frame.transportOffset)
    header.checksumOffset = UInt16(frame.checksumOffset)
    if segments {
      header.rawGSOType = (ipVersion == 4 ? VirtioNetHeader.GSOType.tcpv4 : .tcpv6).rawValue
      header.gsoSize = 1000
    }
    return (header, frame)
  }

  /// The frame with only the pseudo-header's sum in its checksum field.
  private func partial(_ frame: FrameSpecification) -> [UInt8] {
    var bytes = frame.encode()
    let place = frame.transportOffset + frame.checksumOffset
    bytes[place] = 0
    bytes[place + 1] = 0
    let segment = Array(bytes[frame.transportOffset...])
    let pseudo = frame.checksummedBytes(segment).dropLast(segment.count)
    let sum = ~NaiveChecksum.checksum(Array(pseudo))
    bytes[place] = UInt8(sum >> 8)
    bytes[place + 1] = UInt8(sum & 0xff)
    return bytes
  }

  @Test(arguments: [4, 6])
  func frameThatTheTakerTakesIsOnePieceAsItStands(ipVersion: Int) {
    let (header, frame) = request(ipVersion: ipVersion, segments: true)
    let stage = Stage(header, partial(frame))
    guard case .ready = stage.prepare(for: [.checksum, ipVersion == 4 ? .tso4 : .tso6]) else {
      Issue.record("refused")
      return
    }
    #expect(stage.staged.piece?.header == header)
    #expect(stage.pieces() == [partial(frame)])
  }

  @Test(arguments: [4, 6], [ReceiveOffloads(), .checksum, [.checksum, .uso4, .uso6, .ecn]])
  func frameThatTheTakerCannotTakeIsCutIntoCompleteOnes(ipVersion: Int, taker: ReceiveOffloads) {
    let (header, frame) = request(ipVersion: ipVersion, segments: true)
    let stage = Stage(header, partial(frame))
    guard case .ready = stage.prepare(for: taker) else {
      Issue.record("refused")
      return
    }
    #expect(stage.staged.piece?.header == VirtioNetHeader())
    let expected = [0..<1000, 1000..<2000, 2000..<2500].enumerated().map { index, range in
      var segment = frame
      segment.payload = Array(frame.payload[range])
      segment.sequenceNumber = frame.sequenceNumber &+ UInt32(range.lowerBound)
      segment.identification = frame.identification &+ UInt16(index)
      return segment.encode()
    }
    #expect(stage.pieces() == expected)
    #expect(stage.counters[.softwareSegments] == 3)
  }

  @Test(arguments: [4, 6])
  func partialChecksumIsCompletedForATakerWithoutChecksums(ipVersion: Int) {
    let (header, frame) = request(ipVersion: ipVersion, segments: false)
    let stage = Stage(header, partial(frame))
    guard case .ready = stage.prepare(for: []) else {
      Issue.record("refused")
      return
    }
    #expect(stage.staged.piece?.header == VirtioNetHeader())
    #expect(stage.pieces() == [frame.encode()])
    #expect(stage.counters[.softwareChecksums] == 1)
  }

  @Test(arguments: [true, false])
  func verifiedChecksumIsToldOnlyToATakerThatAsked(asked: Bool) {
    var header = VirtioNetHeader()
    header.flags = .dataValid
    let stage = Stage(header, FrameSpecification().encode())
    guard case .ready = stage.prepare(for: asked ? .checksum : []) else {
      Issue.record("refused")
      return
    }
    #expect(stage.staged.piece?.header.flags == (asked ? .dataValid : []))
    #expect(stage.pieces().count == 1)
  }

  @Test func requestThatDoesNotFitItsFrameIsRefusedAndNothingIsStaged() {
    var (header, frame) = request(ipVersion: 4, segments: true)
    header.gsoSize = 0
    let stage = Stage(header, partial(frame))
    guard case .refused = stage.prepare(for: []) else {
      Issue.record("taken")
      return
    }
    #expect(stage.staged.piece == nil)
    header.gsoSize = 1000
    header.checksumStart = 1
    frame.payload = []
    let other = Stage(header, partial(frame))
    guard case .refused = other.prepare(for: .all) else {
      Issue.record("taken")
      return
    }
    #expect(other.staged.piece == nil)
  }

  @Test func refusedFrameLeavesNothingOfTheOneBefore() {
    let (header, frame) = request(ipVersion: 4, segments: true)
    let stage = Stage(header, partial(frame))
    _ = stage.prepare(for: [])
    stage.staged.advance()
    stage.staged.clear()
    #expect(stage.staged.piece == nil)
    stage.staged.advance()
    #expect(stage.staged.piece == nil)
  }
}
