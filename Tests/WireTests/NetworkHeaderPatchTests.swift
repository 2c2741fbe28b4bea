// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Testing
import Wire

@Suite("IP headers are patched in place, checksums kept")
struct NetworkHeaderPatchTests {
  @Test(arguments: 0..<500)
  func aMarkedHeaderHasTheTwoBitsAndARightChecksumAndNothingElseChanged(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let frame = FrameSpecification.randomSegment(payloadLength: seed % 20, using: &generator)
    let before = frame.encode()
    for codepoint in [ECNCodepoint.notCapable, .capable1, .capable0, .congestionExperienced] {
      let (after, seen) = try ParsedFrame.with(before) { parsed in
        NetworkHeaderPatch(parsed.head, parsed.layout).setECN(codepoint)
        return (parsed.head.bytes, try parsed.again().ecnCodepoint)
      }
      #expect(seen == codepoint)
      let network = frame.networkOffset
      var expected = before
      if frame.ipVersion == 4 {
        expected[network + 1] = before[network + 1] & 0xfc | codepoint.rawValue
        expected.replaceSubrange(network + 10..<network + 12, with: after[network + 10..<network + 12])
        #expect(NaiveChecksum.sum(Array(after[network..<network + frame.networkHeaderLength])) == 0xffff)
      } else {
        expected[network + 1] = before[network + 1] & 0xcf | codepoint.rawValue << 4
      }
      #expect(after == expected, "\(codepoint) of \(frame)")
    }
  }
}
