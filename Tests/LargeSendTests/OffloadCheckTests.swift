// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import LargeSend
import Memory
import Testing
import Wire

@Suite("Offload check: what a hostile virtio-net header may ask for")
struct OffloadCheckTests {
  private func check(_ frame: FrameSpecification, _ header: VirtioNetHeader) throws -> OffloadCheck {
    let bytes = frame.encode()
    let layout = try #require(ByteRegion.with(bytes) { FrameLayout(parsing: $0, frameLength: $0.count) })
    return OffloadCheck(header: header, layout: layout, frameLength: bytes.count)
  }

  private func frame(_ change: (inout FrameSpecification) -> Void = { _ in }) -> FrameSpecification {
    var frame = FrameSpecification()
    frame.payload = [UInt8](repeating: 1, count: 100)
    change(&frame)
    return frame
  }

  private func refusal(
    _ frame: FrameSpecification, segmentSize: Int = 10, _ change: (inout VirtioNetHeader) -> Void = { _ in }
  ) throws -> OffloadRefusal? {
    var header = SegmentationModel.header(for: frame, segmentSize: segmentSize)
    change(&header)
    guard case .invalid(let reason) = try check(frame, header) else { return nil }
    return reason
  }

  @Test func rawValuesOfRefusalsCountUpFromZero() {
    #expect(OffloadRefusal.allCases.map { Int($0.rawValue) } == Array(0..<OffloadRefusal.allCases.count))
  }

  @Test func aHeaderThatAsksForNothingIsValidWhateverItsOtherFields() throws {
    var header = VirtioNetHeader()
    header.flags = .dataValid
    header.headerLength = 0xffff
    header.gsoSize = 0xffff
    header.checksumStart = 0xffff
    header.checksumOffset = 0xffff
    guard case .valid(let request) = try check(frame(), header) else {
      Issue.record("refused")
      return
    }
    #expect(request.kind == .none)
  }

  @Test("CVE-2024-11614: csum_start over its whole range names a field inside the frame or is refused")
  func checksumStartOverItsWholeRange() throws {
    try expectChecksumFieldInside(starts: 0...0xffff, offsets: [0, 16, 0xffff])
  }

  @Test("CVE-2024-11614: csum_offset over its whole range names a field inside the frame or is refused")
  func checksumOffsetOverItsWholeRange() throws {
    try expectChecksumFieldInside(starts: [14, 34, 0xffff], offsets: 0...0xffff)
  }

  private func expectChecksumFieldInside(
    starts: some Sequence<UInt16>, offsets: some Collection<UInt16>
  ) throws {
    let bytes = frame().encode()
    let layout = try #require(ByteRegion.with(bytes) { FrameLayout(parsing: $0, frameLength: $0.count) })
    var header = VirtioNetHeader()
    header.flags = .needsChecksum
    var wrong = 0
    for start in starts {
      header.checksumStart = start
      for offset in offsets {
        header.checksumOffset = offset
        let isInside = start >= 14 && Int(start) + Int(offset) <= bytes.count - 2
        switch OffloadCheck(header: header, layout: layout, frameLength: bytes.count) {
        case .valid(let request): wrong += isInside && request.kind == .checksum ? 0 : 1
        case .invalid(.checksumStartInEthernetHeader): wrong += start < 14 ? 0 : 1
        case .invalid(let reason): wrong += !isInside && reason == .checksumFieldOutsideFrame ? 0 : 1
        }
      }
    }
    #expect(wrong == 0)
  }

  @Test("CVE-2024-11614: a segmentation names the checksum of the header that it repeats or is refused")
  func checksumFieldsOfASegmentation() throws {
    let frame = frame()
    for start in UInt16(0)...200 where start != 34 {
      #expect(try refusal(frame) { $0.checksumStart = start } != nil, "csum_start \(start)")
    }
    for offset in UInt16(0)...200 where offset != 16 {
      #expect(try refusal(frame) { $0.checksumOffset = offset } != nil, "csum_offset \(offset)")
    }
    #expect(try refusal(frame) { $0.checksumStart = 30 } == .checksumFieldElsewhere)
    #expect(try refusal(frame) { $0.checksumOffset = 6 } == .checksumFieldElsewhere)
  }

  @Test("DPDK 7023f3e532: gso_size 0 is refused, 1 and 65535 are not", arguments: [4, 6])
  func segmentSizes(version: Int) throws {
    let frame = frame { $0.ipVersion = version }
    #expect(try refusal(frame, segmentSize: 0) == .segmentSizeZero)
    #expect(try refusal(frame, segmentSize: 1) == nil)
    #expect(try refusal(frame, segmentSize: 65535) == nil)
  }

  @Test func aSegmentLongerThanAnIPPacketIsRefused() throws {
    // 65535 less the headers that IPv4's total length, or IPv6's payload length, counts.
    for (version, most) in [(4, 65535 - 40), (6, 65535 - 20)] {
      let frame = frame {
        $0.ipVersion = version
        $0.payload = [UInt8](repeating: 1, count: 70000)
      }
      #expect(try refusal(frame, segmentSize: most) == nil)
      #expect(try refusal(frame, segmentSize: most + 1) == .segmentTooLong)
    }
  }

  @Test func moreThan65536SegmentsAreRefused() throws {
    let frame = frame()
    let layout = try #require(ByteRegion.with(frame.encode()) { FrameLayout(parsing: $0, frameLength: $0.count) })
    let header = SegmentationModel.header(for: frame, segmentSize: 3)
    let most = frame.payloadOffset + 3 * 65536
    guard case .valid = OffloadCheck(header: header, layout: layout, frameLength: most) else {
      Issue.record("65536 segments refused")
      return
    }
    #expect(OffloadCheck(header: header, layout: layout, frameLength: most + 1) == .invalid(.tooManySegments))
  }

  @Test func segmentationWithoutAChecksumIsRefused() throws {
    #expect(try refusal(frame()) { $0.flags = [] } == .segmentationWithoutChecksum)
    #expect(try refusal(frame()) { $0.flags = .dataValid } == .segmentationWithoutChecksum)
  }

  @Test(arguments: UInt8(0)...255)
  func aTypeIsValidOnlyForTheFramesItNames(type: UInt8) throws {
    for version in [4, 6] {
      for transport in [FrameSpecification.Transport.tcp, .udp] {
        let frame = frame {
          $0.ipVersion = version
          $0.transport = transport
        }
        let isValid =
          switch type {
          case 0: true
          case 1, 0x81: version == 4 && transport == .tcp
          case 4, 0x84: version == 6 && transport == .tcp
          case 5: transport == .udp
          default: false
          }
        #expect((try refusal(frame) { $0.rawGSOType = type } == nil) == isValid, "IPv\(version) \(transport)")
      }
    }
  }

  @Test func eachMismatchOfTypeHasItsOwnReason() throws {
    #expect(try refusal(frame()) { $0.rawGSOType = 3 } == .datagramFragmentation)
    #expect(try refusal(frame()) { $0.rawGSOType = 4 } == .networkProtocolMismatch)
    #expect(try refusal(frame()) { $0.rawGSOType = 5 } == .transportProtocolMismatch)
    #expect(try refusal(frame()) { $0.rawGSOType = 2 } == .unknownSegmentationType)
    #expect(try refusal(frame()) { $0.rawGSOType = 0x80 } == .unknownSegmentationType)
    #expect(try refusal(frame { $0.transport = .udp }) { $0.rawGSOType = 0x85 } == .unknownSegmentationType)
    #expect(try refusal(frame { $0.vlanTags = [0x8100, 0x8100, 0x8100] }) == .networkProtocolMismatch)
  }

  @Test func aFragmentIsRefused() throws {
    let fragment = frame {
      $0.ipVersion = 6
      $0.extensionHeaders = [.fragment(offset: 0, more: true)]
    }
    #expect(try refusal(fragment) == .fragment)
  }

  @Test func aRoutingHeaderOfAnUnknownTypeIsRefusedWhileItHasSegmentsLeft() throws {
    let frame = frame {
      $0.ipVersion = 6
      $0.extensionHeaders = [.routing(type: 3, segmentsLeft: 1, addresses: 1)]
    }
    #expect(try refusal(frame) == .unknownFinalDestination)
  }

  @Test("CVE-2026-100236: a header that is not wholly inside the frame is refused", arguments: [1, 4, 6, 15])
  func incompleteHeader(dataOffset: Int) throws {
    var bytes = frame { $0.payload = [] }.encode()
    bytes[34 + 12] = UInt8(dataOffset << 4)
    let layout = try #require(ByteRegion.with(bytes) { FrameLayout(parsing: $0, frameLength: $0.count) })
    let header = SegmentationModel.header(for: frame(), segmentSize: 10)
    #expect(OffloadCheck(header: header, layout: layout, frameLength: bytes.count) == .invalid(.headerIncomplete))
  }

  @Test("CVE-2026-100236: a layout of a longer frame does not make the payload's length negative")
  func layoutOfALongerFrame() throws {
    let frame = frame()
    let layout = try #require(ByteRegion.with(frame.encode()) { FrameLayout(parsing: $0, frameLength: $0.count) })
    let header = SegmentationModel.header(for: frame, segmentSize: 10)
    #expect(OffloadCheck(header: header, layout: layout, frameLength: 53) == .invalid(.headerIncomplete))
  }
}
