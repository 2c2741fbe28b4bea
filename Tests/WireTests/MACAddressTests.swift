// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Testing
import Wire

@Suite("MAC address and the frame that announces one")
struct MACAddressTests {
  @Test func textAndOctetsAreTheSameAddress() throws {
    let address = try MACAddress(parsing: "52:54:00:12:34:aB")
    #expect(address.description == "52:54:00:12:34:ab")
    #expect(address.rawValue == 0x5254_0012_34ab)
    ByteRegion.with([0, 0x52, 0x54, 0x00, 0x12, 0x34, 0xab, 0]) { region in
      #expect(MACAddress(decoding: region, at: 1) == address)
      region.fill(with: 0xee)
      address.encode(into: region, at: 1)
      #expect(region.bytes == [0xee, 0x52, 0x54, 0x00, 0x12, 0x34, 0xab, 0xee])
    }
  }

  @Test(arguments: [
    ("", WireError.macAddressFieldCount(1)), ("52:54:00:12:34", .macAddressFieldCount(5)),
    ("52:54:00:12:34:56:78", .macAddressFieldCount(7)), ("52-54-00-12-34-56", .macAddressFieldCount(1)),
    ("52:54:00:12:34:5", .macAddressField(index: 5, text: "5")),
    ("52:54:0g:12:34:56", .macAddressField(index: 2, text: "0g")),
    ("+1:54:00:12:34:56", .macAddressField(index: 0, text: "+1")),
    ("52::00:12:34:56", .macAddressField(index: 1, text: "")),
    ("52:54:00:12:34:56 ", .macAddressField(index: 5, text: "56 ")),
  ])
  func textThatIsNotAnAddressIsRefusedWithTheReason(text: String, error: WireError) {
    #expect(throws: error) { try MACAddress(parsing: text) }
  }

  @Test(arguments: [("52:54:00:12:34:56", false), ("01:00:5e:00:00:01", true), ("ff:ff:ff:ff:ff:ff", true)])
  func theGroupBitMakesAnAddressMulticast(text: String, isMulticast: Bool) throws {
    #expect(try MACAddress(parsing: text).isMulticast == isMulticast)
  }

  @Test func theAnnouncementIsAReverseARPRequestOfRFC903() throws {
    let station = try MACAddress(parsing: "52:54:00:12:34:56")
    let frame = ByteRegion.with([UInt8](repeating: 0xee, count: 64)) { region in
      ReverseARP.encodeRequest(of: station, into: region)
      return region.bytes
    }
    let octets: [UInt8] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56]
    let expected: [UInt8] =
      [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] + octets + [0x80, 0x35] + [0, 1, 8, 0, 6, 4, 0, 3] + octets + [0, 0, 0, 0]
      + octets + [UInt8](repeating: 0, count: 4 + 18)
    #expect(frame == expected + [0xee, 0xee, 0xee, 0xee])
  }
}
