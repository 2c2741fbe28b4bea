// SPDX-License-Identifier: Apache-2.0
import FrameSupport
import PolicyLanguage
import Testing
import YAMLDocument

@Suite("Policy language: what is wrong in its texts") struct MalformedTests {
  @Test("A mistake is told with its place and how to mend it", arguments: MalformedCase.all)
  func mistakes(_ wrong: MalformedCase) {
    let reading = PolicyDocument.load(wrong.sources)
    #expect(reading.mistakes.map(\.description) == wrong.expected)
    #expect(reading.document == nil)
  }

  @Test("There are more than three hundred malformed policies")
  func count() { #expect(MalformedCase.all.count > 300) }

  @Test("A hundred mistakes are told, the first ones, and no more")
  func most() {
    let rules = (0..<500).map { "  - { match: { dport: x\($0) }, class: a }\n" }.joined()
    let text = "apiVersion: vtcp/v1\nclasses: { a: {} }\nrules:\n" + rules
    let mistakes = PolicyDocument.load([PolicySource("p", text)]).mistakes
    #expect(mistakes.count == PolicyMistake.most)
    #expect(mistakes.map { $0.place?.mark.line } == Array(4..<104))
  }

  @Test("No policy at all is a mistake")
  func nothing() {
    #expect(PolicyDocument.load([]).mistakes.map(\.description) == ["error: there is no policy: no file was given"])
  }

  @Test("Octets that are no UTF-8 are told with their place")
  func octets() {
    let octets = Array("apiVersion: vtcp/v1\ndefault: ä".utf8) + [0xff]
    let mistakes = PolicyDocument.load([PolicySource("p", octets: octets)]).mistakes
    #expect(mistakes.map(\.description) == ["p:2:11: error: this is no UTF-8 text"])
  }

  @Test("A good policy with any part of it damaged is read to an end, and mistakes lie in the text")
  func damaged() throws {
    let good = Array(try Sample.text("sample").utf8)
    var random = SplitMix64(seed: 7)
    for _ in 0..<200 {
      var octets = good
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<octets.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: octets[place] = UInt8.random(in: 0x20...0x7e, using: &random)
        case 1: octets.remove(at: place)
        default: octets.insert(octets[Int.random(in: 0..<octets.count, using: &random)], at: place)
        }
      }
      let reading = PolicyDocument.load([PolicySource("p", octets: octets)])
      let lines = octets.split(separator: 10, omittingEmptySubsequences: false).count
      for mistake in reading.mistakes + reading.warnings {
        let mark = try #require(mistake.place?.mark)
        #expect((1...lines).contains(mark.line) && mark.column >= 1, "\(mistake)")
      }
      if let document = reading.document { _ = document.compile(for: NICFacts(vm: "db-3")) }
    }
  }
}
