// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Glibc
import Testing

@testable import TCPPolicy

@Suite("Addresses as people write them")
struct AddressParserTests {
  /// What the C library takes it for.
  private func reference(_ text: String) -> (high: UInt64, low: UInt64)? {
    var bytes = [UInt8](repeating: 0, count: 16)
    guard inet_pton(AF_INET6, text, &bytes) == 1 else { return nil }
    let words = [bytes[0..<8], bytes[8..<16]].map { $0.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
    return (words[0], words[1])
  }

  @Test(
    "IPv6 is what the C library takes for it",
    arguments: [
      "::", "::1", "1::", "fd00::", "2001:db8::1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8",
      "::ffff:10.0.0.1",
      "1:2:3:4:5:6:1.2.3.4", "ABCD:ef01::", "", ":", ":::", "1:::2", "1::2::3", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7",
      "12345::", "g::", "1.2.3.4", "::1.2.3", "::1.2.3.4.5", "1:2:3:4:5:6:7:1.2.3.4", "::1 ", "+1::",
      "1:2:3:4:5:6:7:8::",
      "::1.2.3.4:5", "1.2.3.4::",
    ])
  func sixes(text: String) {
    let found = AddressParser.ipv6(Substring(text))
    let wanted = reference(text)
    #expect(found?.high == wanted?.high && found?.low == wanted?.low)
  }

  @Test("So is what random changes make of addresses", arguments: 0..<20 as Range<UInt64>)
  func random(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let letters = Array("0123456789abcdefF:::..")
    for _ in 0..<500 {
      let text = String(
        (0..<Int.random(in: 1...20, using: &random)).map { _ in letters.randomElement(using: &random) ?? ":" })
      let (found, wanted) = (AddressParser.ipv6(Substring(text)), reference(text))
      #expect(found?.high == wanted?.high && found?.low == wanted?.low, "\(text)")
      var four = in_addr()
      let isFour = inet_pton(AF_INET, text, &four) == 1
      #expect(AddressParser.ipv4(Substring(text)) == (isFour ? UInt32(bigEndian: four.s_addr) : nil), "\(text)")
    }
  }

  @Test("A prefix is an address and a length, or an address alone")
  func prefixes() {
    #expect(AddressParser.prefix("10.0.0.0/8") == .ipv4(0x0a00_0000, length: 8))
    #expect(AddressParser.prefix("10.1.2.3") == .ipv4(0x0a01_0203))
    #expect(AddressParser.prefix("fd00::/8") == .ipv6(0xfd00 << 48, 0, length: 8))
    #expect(AddressParser.prefix("::1") == .ipv6(0, 1))
    for text in [
      "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/-1", "10.0.0.0/8/8", "/8", "10.0.0.0/1000", "010.0.0.1", "10.0.0.256",
    ] {
      #expect(AddressParser.prefix(Substring(text)) == nil, "\(text)")
    }
  }
}
