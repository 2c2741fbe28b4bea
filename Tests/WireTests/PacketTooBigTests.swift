// SPDX-License-Identifier: Apache-2.0

import Memory
import Testing
import Wire

@Suite("ICMP and ICMPv6: a packet was too big")
struct PacketTooBigTests {
  /// ICMPv6 Packet Too Big with the begin of a TCP segment; RFC 4443 §3.2.
  private func notice(_ change: (ByteRegion) -> Void = { _ in }) -> ByteRegion {
    let frame = ByteRegion.allocate(count: 14 + 40 + 8 + 48)
    frame.storeNetworkOrder(0x86dd as UInt16, at: 12)
    frame.storeNetworkOrder(0x6000_0000 as UInt32, at: 14)
    frame.storeNetworkOrder(UInt16(56), at: 18)
    frame.store(UInt8(58), at: 20)
    frame.store(UInt8(64), at: 21)
    frame.store(UInt8(9), at: 37)
    frame.store(UInt8(1), at: 53)
    frame.store(UInt8(2), at: 54)
    frame.storeNetworkOrder(UInt32(1300), at: 58)
    frame.storeNetworkOrder(0x6000_0000 as UInt32, at: 62)
    frame.store(UInt8(6), at: 68)
    frame.store(UInt8(1), at: 85)
    frame.store(UInt8(2), at: 101)
    frame.storeNetworkOrder(UInt16(40_000), at: 102)
    frame.storeNetworkOrder(UInt16(80), at: 104)
    frame.storeNetworkOrder(UInt32(77), at: 106)
    var sum = InternetChecksum()
    sum.addPseudoHeader(
      source: frame.slice(from: 22, count: 16), destination: frame.slice(from: 38, count: 16), transportProtocol: 58,
      length: 56)
    sum.add(frame.suffix(from: 54))
    frame.storeNetworkOrder(sum.checksum, at: 56)
    change(frame)
    return frame
  }

  private func read(_ frame: ByteRegion) -> PacketTooBig? {
    defer { frame.deallocate() }
    guard let layout = FrameLayout(parsing: frame, frameLength: frame.count) else { return nil }
    return PacketTooBig(parsing: frame, layout: layout)
  }

  @Test("ICMPv6 says the MTU, and of which segment")
  func wellFormed() throws {
    let notice = try #require(read(notice()))
    #expect(notice.nextHopMTU == 1300)
    #expect(notice.source == Endpoint(addressHigh: 0, addressLow: 1, port: 40_000))
    #expect(notice.destination == Endpoint(addressHigh: 0, addressLow: 2, port: 80))
    #expect(notice.sequenceNumber == SequenceNumber(rawValue: 77))
  }

  @Test("A bit turned anywhere in the message makes it nothing")
  func damaged() {
    for place in 54..<110 {
      #expect(read(notice { $0.store($0.load(UInt8.self, at: place) ^ 16, at: place) }) == nil, "\(place)")
    }
  }

  @Test("Cut off anywhere it is nothing")
  func cutOff() {
    let whole = notice()
    defer { whole.deallocate() }
    for count in 14..<whole.count {
      let cut = whole.slice(from: 0, count: count)
      guard let layout = FrameLayout(parsing: cut, frameLength: count) else { continue }
      #expect(PacketTooBig(parsing: cut, layout: layout) == nil, "\(count)")
    }
  }
}
