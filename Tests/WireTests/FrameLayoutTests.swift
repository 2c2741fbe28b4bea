// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Testing
import Wire

@Suite("Frame layout: where headers begin and end")
struct FrameLayoutTests {
  private func parse(_ bytes: [UInt8], frameLength: Int? = nil) -> FrameLayout? {
    ByteRegion.with(bytes) { FrameLayout(parsing: $0, frameLength: frameLength ?? bytes.count) }
  }

  /// What must hold of any bytes: offsets in order, inside what was parsed.
  private func expectConsistent(_ layout: FrameLayout, available: Int) {
    #expect(layout.networkOffset >= 14 && layout.networkOffset <= available)
    #expect(layout.transportOffset <= available && layout.payloadOffset <= available)
    #expect(layout.finalDestinationOffset <= available)
    #expect(layout.transportOffset == 0 || layout.transportOffset >= layout.networkOffset + 20)
    #expect(layout.payloadOffset == 0 || layout.payloadOffset >= layout.transportOffset + 8)
    #expect(layout.ipVersion != 0 || (layout.transportOffset == 0 && layout.finalDestinationOffset == 0))
    #expect(layout.transportOffset != 0 || layout.payloadOffset == 0)
  }

  @Test(arguments: 0..<500)
  func headersOfAnyShapeAreFoundWhereTheyWereWritten(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let frame = FrameSpecification.random(payloadLength: seed % 7, using: &generator)
    let layout = try #require(parse(frame.encode()))
    #expect(layout.networkOffset == frame.networkOffset)
    #expect(layout.transportOffset == frame.transportOffset)
    #expect(layout.payloadOffset == frame.payloadOffset)
    #expect(layout.transportProtocol == frame.transport.rawValue)
    #expect(Int(layout.ipVersion) == frame.ipVersion)
    #expect(layout.etherType == (frame.ipVersion == 4 ? EtherType.ipv4 : EtherType.ipv6))
    #expect(Int(layout.vlanTagCount) == frame.vlanTags.count)
    #expect(layout.hasExtensionHeaders == (frame.ipVersion == 6 && !frame.extensionHeaders.isEmpty))
    #expect(!layout.isFragment)
  }

  @Test(arguments: 0..<60)
  func everyTruncationFindsOnlyWhatIsThere(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    let frame = FrameSpecification.random(payloadLength: 3, using: &generator)
    let bytes = frame.encode()
    for length in 0...bytes.count {
      let cut = parse(Array(bytes[..<length]))
      #expect(cut == parse(bytes, frameLength: length), "the frame's length cuts like the copy's")
      guard let cut else {
        #expect(length < 14)
        continue
      }
      expectConsistent(cut, available: length)
      #expect(cut.hasTransportHeader == (length >= frame.payloadOffset))
      #expect((cut.transportOffset > 0) == (length >= frame.transportOffset))
    }
  }

  @Test(arguments: 0..<300)
  func damagedHeadersNeverLeadOutsideTheFrame(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    var bytes = FrameSpecification.random(payloadLength: 20, using: &generator).encode()
    for _ in 0..<20 {
      bytes[Int.random(in: 12..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
      let length = Int.random(in: 14...bytes.count, using: &generator)
      if let layout = parse(Array(bytes[..<length])) { expectConsistent(layout, available: length) }
    }
  }

  @Test(arguments: [UInt16(0x0800), 0x86dd, 0x8100, 0x88a8])
  func randomBytesBehindAnyEtherTypeNeverLeadOutsideTheFrame(etherType: UInt16) {
    var generator = SplitMix64(seed: UInt64(etherType))
    for _ in 0..<500 {
      var bytes = generator.bytes(Int.random(in: 14...256, using: &generator))
      bytes.replaceSubrange(12..<14, with: [UInt8(etherType >> 8), UInt8(etherType & 0xff)])
      // Half of them with a version that fits, or nothing but the first test would be tested.
      if bytes.count > 14, Bool.random(using: &generator) { bytes[14] = etherType == 0x0800 ? 0x45 : 0x60 }
      if bytes.count > 20, Bool.random(using: &generator) { bytes[20] = [0, 43, 44, 60][Int(bytes[20] % 4)] }
      if let layout = parse(bytes) { expectConsistent(layout, available: bytes.count) }
    }
  }

  @Test(arguments: [-1, 0, 13])
  func aFrameShorterThanAnEthernetHeaderHasNoLayout(frameLength: Int) {
    #expect(parse([UInt8](repeating: 0, count: 64), frameLength: frameLength) == nil)
  }

  @Test func aFrameThatIsNotIPHasNothingBehindItsEthernetHeader() throws {
    let layout = try #require(
      parse([UInt8](repeating: 0, count: 12) + [0x08, 0x06] + [UInt8](repeating: 1, count: 46)))
    #expect(layout.etherType == EtherType.arp)
    #expect(layout.ipVersion == 0 && layout.transportOffset == 0 && layout.networkOffset == 14)
  }

  @Test func aThirdVLANTagIsNotLookedBehind() throws {
    var frame = FrameSpecification()
    frame.vlanTags = [0x88a8, 0x8100, 0x8100]
    let layout = try #require(parse(frame.encode()))
    #expect(layout.vlanTagCount == 2 && layout.etherType == EtherType.vlan && layout.ipVersion == 0)
  }

  @Test(arguments: [(UInt16(0x2000), true), (0x0001, true), (0x1fff, true), (0x4000, false), (0x8000, false)])
  func anIPv4FragmentIsOneByItsOffsetOrItsMoreFragmentsBit(field: UInt16, isFragment: Bool) throws {
    var bytes = FrameSpecification().encode()
    bytes.replaceSubrange(20..<22, with: [UInt8(field >> 8), UInt8(field & 0xff)])
    let layout = try #require(parse(bytes))
    #expect(layout.isFragment == isFragment)
    #expect(layout.hasTransportHeader == !isFragment)
    #expect(layout.transportOffset == 34)
  }

  @Test(arguments: [(UInt16(0), true, true), (185, false, true), (0, false, false)])
  func anIPv6FragmentIsOneUnlessItIsAtomic(offset: UInt16, more: Bool, isFragment: Bool) throws {
    var frame = FrameSpecification()
    frame.ipVersion = 6
    frame.extensionHeaders = [
      .hopByHop(units: 1), .fragment(offset: offset, more: more), .destinationOptions(units: 1),
    ]
    let layout = try #require(parse(frame.encode()))
    #expect(layout.isFragment == isFragment)
    #expect(layout.transportProtocol == (isFragment ? IPProtocol.destinationOptions : IPProtocol.tcp))
    #expect(layout.transportOffset == (isFragment ? 14 + 40 + 16 : frame.transportOffset))
    #expect(layout.hasTransportHeader == !isFragment)
  }

  @Test func theReservedBitsOfAFragmentHeaderMakeNoFragment() throws {
    var frame = FrameSpecification()
    frame.ipVersion = 6
    frame.extensionHeaders = [.fragment(offset: 0, more: false)]
    var bytes = frame.encode()
    bytes[14 + 40 + 1] = 0xff
    bytes[14 + 40 + 3] = 0x06
    let layout = try #require(parse(bytes))
    #expect(!layout.isFragment)
    #expect(layout.payloadOffset == frame.payloadOffset)
  }

  @Test(arguments: [8, 9, 20])
  func theWalkOverExtensionHeadersEndsAfterEight(count: Int) throws {
    var frame = FrameSpecification()
    frame.ipVersion = 6
    frame.extensionHeaders = [ExtensionHeader](repeating: .destinationOptions(units: 1), count: count)
    let layout = try #require(parse(frame.encode()))
    #expect(layout.ipVersion == 6 && layout.hasExtensionHeaders)
    #expect(layout.transportOffset == (count == 8 ? frame.transportOffset : 0))
    #expect(layout.hasTransportHeader == (count == 8))
  }

  @Test(arguments: [
    (UInt8(0), UInt8(1), 3, 14 + 40 + 8 + 32), (0, 0, 3, 14 + 24), (2, 1, 1, 14 + 40 + 8), (4, 2, 3, 14 + 40 + 8),
    (4, 0, 3, 14 + 24), (3, 1, 3, 0), (0, 1, 0, 0),
  ])
  func theFinalDestinationIsFoundInARoutingHeader(type: UInt8, left: UInt8, addresses: Int, offset: Int) throws {
    var frame = FrameSpecification()
    frame.ipVersion = 6
    frame.extensionHeaders = [.routing(type: type, segmentsLeft: left, addresses: addresses)]
    // Without an address in the route the test frame's checksum has none to sum: the layout does not look at it.
    let bytes = addresses > 0 ? frame.encode() : emptyRoute()
    let layout = try #require(parse(bytes))
    #expect(layout.finalDestinationOffset == offset)
    #expect(layout.transportOffset == frame.transportOffset)
  }

  private func emptyRoute() -> [UInt8] {
    var frame = FrameSpecification()
    frame.ipVersion = 6
    frame.extensionHeaders = [.routing(type: 0, segmentsLeft: 0, addresses: 0)]
    var bytes = frame.encode()
    bytes[14 + 40 + 3] = 1
    return bytes
  }

  @Test(arguments: 0...15)
  func aTCPHeaderCountsOnlyWithADataOffsetThatFitsTheFrame(dataOffset: Int) throws {
    var bytes = FrameSpecification().encode() + [UInt8](repeating: 0, count: 20)
    bytes[34 + 12] = UInt8(dataOffset << 4)
    let layout = try #require(parse(bytes))
    #expect(layout.payloadOffset == ((5...10).contains(dataOffset) ? 34 + dataOffset * 4 : 0))
  }
}
