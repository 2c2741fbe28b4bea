// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Testing
import Wire

@Suite("TCP segments: what the headers say")
struct TCPSegmentTests {
  @Test(arguments: 0..<1000)
  func theFieldsOfAnyFrameAreThoseItWasWrittenWith(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let payload = Int.random(in: 0...300, using: &generator)
    let frame = FrameSpecification.randomSegment(payloadLength: payload, using: &generator)
    try ParsedFrame.with(frame.encode()) { parsed in
      let segment = parsed.segment
      #expect(segment.sourcePort == frame.sourcePort && segment.destinationPort == frame.destinationPort)
      #expect(segment.sequenceNumber.rawValue == frame.sequenceNumber)
      #expect(segment.acknowledgmentNumber.rawValue == frame.acknowledgmentNumber)
      #expect(segment.flags.rawValue == UInt16(frame.control) && segment.reservedBits == 0)
      #expect(segment.window == 0x1234 && segment.urgentPointer == frame.urgentPointer)
      #expect(segment.headerOffset == frame.transportOffset && segment.payloadOffset == frame.payloadOffset)
      #expect(segment.payloadCount == payload)
      let numbers = payload + (frame.control & 2 != 0 ? 1 : 0) + (frame.control & 1 != 0 ? 1 : 0)
      #expect(segment.sequenceLength == numbers && segment.end == segment.sequenceNumber + numbers)
      #expect(segment.hopLimit == 64)
      let model = OptionsModel(frame.tcpOptions)
      #expect(model.matches(segment.options, in: parsed.head, from: frame.transportOffset + 20))
      if frame.ipVersion == 4 {
        #expect(segment.trafficClass == 2 && segment.ecnCodepoint == .capable0)
        #expect(segment.identification == frame.identification && segment.doesNotFragment)
        #expect(segment.hasIPv4Options == (frame.ipOptionsLength > 0) && segment.flowLabel == 0)
      } else {
        #expect(segment.trafficClass == 1 && segment.ecnCodepoint == .capable1)
        #expect(segment.flowLabel == 0x23456 && segment.identification == 0 && segment.doesNotFragment)
        #expect(!segment.hasIPv4Options)
      }
    }
  }

  @Test(arguments: [4, 6])
  func ethernetsPaddingIsNoPayload(version: Int) throws {
    var frame = FrameSpecification()
    frame.ipVersion = version
    frame.payload = [7, 8, 9]
    let segment = try #require(ParsedFrame.segment(frame.encode() + [UInt8](repeating: 0, count: 20)))
    #expect(segment.payloadCount == 3)
  }

  @Test(arguments: [4, 6])
  func aLengthThatEndsBehindTheFrameOrInTheHeadersIsNoSegment(version: Int) {
    var frame = FrameSpecification()
    frame.ipVersion = version
    frame.tcpOptions = [1, 1, 1, 1]
    frame.payload = [1, 2]
    let right = frame.encode()
    let place = frame.networkOffset + (version == 4 ? 2 : 4)
    let fixed = version == 4 ? 0 : 40
    let headers = frame.payloadOffset - frame.networkOffset - fixed
    for length in 0...(headers + 10) {
      var bytes = right
      bytes.replaceSubrange(place..<place + 2, with: [UInt8(length >> 8), UInt8(length & 0xff)])
      let segment = ParsedFrame.segment(bytes)
      #expect((segment != nil) == (headers...headers + 2).contains(length), "length \(length)")
      #expect(segment == nil || segment?.payloadCount == length - headers)
    }
  }

  @Test(arguments: [4, 6], [false, true])
  func aLargePacketOfLengthZeroIsAsLongAsItsFrame(version: Int, withHopByHop: Bool) throws {
    var frame = FrameSpecification()
    frame.ipVersion = version
    if withHopByHop { frame.extensionHeaders = [.hopByHop(units: 1)] }
    frame.payload = [UInt8](repeating: 5, count: 200_000)
    var bytes = frame.encode()
    let place = frame.networkOffset + (version == 4 ? 2 : 4)
    bytes.replaceSubrange(place..<place + 2, with: [0, 0])
    #expect(ParsedFrame.segment(bytes) == nil)
    #expect(try #require(ParsedFrame.segment(bytes, isLarge: true)).payloadCount == 200_000)
  }

  @Test func aLargePacketWithALengthIsAsLongAsItSays() throws {
    var frame = FrameSpecification()
    frame.payload = [UInt8](repeating: 5, count: 3000)
    #expect(try #require(ParsedFrame.segment(frame.encode() + [0, 0, 0], isLarge: true)).payloadCount == 3000)
  }

  @Test func allNineFlagsAndTheReservedBitsAreToldApart() throws {
    let frame = FrameSpecification()
    var bytes = frame.encode()
    let all: [TCPFlags] = [.fin, .syn, .rst, .psh, .ack, .urg, .ece, .cwr, .ae]
    for word in UInt16(0)..<0x1000 {
      bytes[frame.transportOffset + 12] = 0x50 | UInt8(word >> 8)
      bytes[frame.transportOffset + 13] = UInt8(word & 0xff)
      let segment = try #require(ParsedFrame.segment(bytes))
      #expect(segment.reservedBits == word >> 9)
      for (bit, flag) in all.enumerated() { #expect(segment.flags.contains(flag) == (word >> bit & 1 == 1)) }
    }
  }

  @Test func anythingButWholeTCPIsNoSegment() {
    var datagram = FrameSpecification()
    datagram.transport = .udp
    #expect(ParsedFrame.segment(datagram.encode()) == nil)
    var fragment = FrameSpecification()
    fragment.ipVersion = 6
    fragment.extensionHeaders = [.fragment(offset: 0, more: true)]
    #expect(ParsedFrame.segment(fragment.encode()) == nil)
  }

  @Test func theDontFragmentBitIsRead() throws {
    var bytes = FrameSpecification().encode()
    #expect(try #require(ParsedFrame.segment(bytes)).doesNotFragment)
    bytes[20] = 0
    #expect(try #require(ParsedFrame.segment(bytes)).doesNotFragment == false)
  }

  @Test(arguments: 0..<60)
  func aFrameCutAnywhereHasNoSegmentThatReachesBehindTheCut(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let frame = FrameSpecification.randomSegment(payloadLength: 5, using: &generator)
    let bytes = frame.encode()
    for length in 0..<bytes.count { #expect(ParsedFrame.segment(Array(bytes[..<length])) == nil) }
    // The head may end anywhere behind the headers, but not in them, whatever the layout was parsed from.
    try ParsedFrame.with(bytes) { parsed in
      for count in [frame.payloadOffset - 1, frame.payloadOffset, bytes.count] {
        let head = parsed.head.slice(from: 0, count: count)
        let segment = TCPSegment(parsing: head, layout: parsed.layout, frameLength: bytes.count, isLarge: false)
        #expect(segment == (count < frame.payloadOffset ? nil : parsed.segment))
      }
    }
  }
}
