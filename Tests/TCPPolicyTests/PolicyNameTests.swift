// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
import Testing

@Suite("Policy: names")
struct PolicyNameTests {
  @Test("A name of 1 to 32 octets comes back as it was", arguments: 1...32)
  func roundTrip(length: Int) throws {
    let alphabet = Array("aZ09-_.qXy")
    let text = String((0..<length).map { alphabet[$0 % alphabet.count] })
    let name = try #require(PolicyName(text))
    #expect(name.description == text)
    #expect(name == PolicyName(text))
    #expect(name != PolicyName(String(text.dropLast()) + "b"))
    #expect(name != PolicyName(String(text.dropLast())))
  }

  @Test(
    "A name that is empty, too long or of other characters is none",
    arguments: [
      "", String(repeating: "a", count: 33), String(repeating: "ä", count: 17), "a b", "a\nb", "ä", "a\0", "a/b",
      "\u{1b}[m", "\"",
    ])
  func refused(text: String) {
    #expect(PolicyName(text) == nil)
  }

  @Test("A name is 32 octets wherever it is kept")
  func size() {
    #expect(MemoryLayout<PolicyName>.size == PolicyName.maximumLength)
  }
}
