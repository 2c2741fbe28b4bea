// SPDX-License-Identifier: Apache-2.0

import DomainXML
import FrameSupport
import Testing

@Suite("XML that is meant to harm is refused")
struct HostileXMLTests {
  @Test("Entities that multiply are refused with their document type, at once")
  func billionLaughs() {
    var text = "<?xml version='1.0'?>\n<!DOCTYPE domain [\n<!ENTITY a 'ha'>\n"
    for (name, before) in zip("bcdefghij", "abcdefghi") {
      text += "<!ENTITY \(name) '" + String(repeating: "&\(before);", count: 10) + "'>\n"
    }
    text += "]>\n<domain><name>&j;</name></domain>"
    #expect(
      Samples.mistakes(text) == [
        "2:18: a domain's XML has no document type (<!DOCTYPE), and so no entities of its own: take it out"
      ])
  }

  @Test(
    "Nothing outside the text is read",
    arguments: [
      "<!DOCTYPE domain SYSTEM 'file:///etc/passwd'><domain/>",
      "<!DOCTYPE domain [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><domain><name>&x;</name></domain>",
      "<!DOCTYPE domain [<!ENTITY % x SYSTEM 'http://127.0.0.1/'> %x;]><domain/>",
    ])
  func externalEntities(text: String) {
    #expect(Samples.mistakes(text).count == 1 && Samples.mistakes(text)[0].contains("document type"))
  }

  @Test("An entity that nobody has defined is told")
  func undefinedEntity() {
    #expect(Samples.mistakes("<domain><name>&x;</name></domain>") == ["1:15: this is not XML: undefined entity"])
  }

  @Test("Depth, elements, attributes and octets are bounded")
  func bounds() {
    let deep = String(repeating: "<domain>", count: 300)
    #expect(Samples.mistakes(deep) == ["1:2049: elements stand inside each other deeper than 256"])
    let many = "<domain>" + String(repeating: "<a/>", count: 60_000)
    #expect(Samples.mistakes(many)[0].contains("there are more than 50000 elements"))
    let wide = "<domain " + (0..<300).map { "a\($0)='' " }.joined() + "/>"
    #expect(Samples.mistakes(wide) == ["1:1: an element has more than 256 attributes"])
    let long = "<domain>" + String(repeating: " ", count: 1 << 20) + "</domain>"
    #expect(Samples.mistakes(long) == ["a domain's XML has at most 1048576 octets, not \(long.utf8.count)"])
  }

  @Test("A deep tree of allowed depth is read and given back")
  func deepest() {
    let text = String(repeating: "<domain>", count: 256) + String(repeating: "</domain>", count: 256)
    #expect(Samples.mistakes(text) == [])
  }

  @Test("Other encodings are told by name")
  func encodings() {
    let latin =
      Array("<?xml version='1.0' encoding='ISO-8859-1'?><domain><name>".utf8) + [0xe9] + Array("</name></domain>".utf8)
    #expect(
      Samples.mistakes(latin) == ["1:1: the text says that its encoding is \"ISO-8859-1\"; a domain's XML is in UTF-8"])
    let wide: [UInt8] = [0xff, 0xfe] + Array("<domain/>".utf8).flatMap { [$0, 0] as [UInt8] }
    #expect(Samples.mistakes(wide) == ["1:1: the text is in UTF-16; a domain's XML is in UTF-8"])
    #expect(Samples.mistakes(Array("<domain>".utf8) + [0xe9] + Array("</domain>".utf8))[0].contains("this is not XML"))
    #expect(Samples.mistakes(Array("<domain>".utf8) + [0] + Array("</domain>".utf8))[0].contains("this is not XML"))
    // A surrogate, and a form that is longer than it needs to be.
    for octets: [UInt8] in [[0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xf8, 0x88, 0x80, 0x80, 0x80]] {
      #expect(
        Samples.mistakes(Array("<domain>".utf8) + octets + Array("</domain>".utf8))[0].contains("this is not XML"))
    }
  }

  @Test("An XML that ends anywhere is refused, and says where")
  func truncated() {
    let text = Array(
      Samples.domain(
        interfaces: Samples.interface(), metadata: Samples.policy("class='gold'", "<v:set key='a' value='b'/>")
      ).utf8)
    for count in 0..<text.count {
      let mistakes = Samples.mistakes(Array(text[..<count]))
      #expect(mistakes.count == 1 && mistakes[0].contains("this is not XML"), "\(count) octets: \(mistakes)")
    }
  }

  @Test("Any octet may be another: it is read or told, and names stay printable")
  func damaged() throws {
    let text = Array(
      Samples.domain(
        interfaces: Samples.interface(), metadata: Samples.policy("class='gold'", "<v:set key='a' value='b'/>")
      ).utf8)
    var generator = SplitMix64(seed: 1)
    for _ in 0..<5000 {
      var octets = text
      for _ in 0...Int.random(in: 0...2, using: &generator) {
        octets[Int.random(in: 0..<octets.count, using: &generator)] = .random(in: 0...255, using: &generator)
      }
      for mistake in Samples.mistakes(octets) {
        #expect(mistake.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }, "\(mistake)")
      }
    }
  }

  @Test("A prefix that nobody has bound is told")
  func unboundPrefix() {
    #expect(Samples.mistakes("<domain><v:policy/></domain>") == ["1:9: this is not XML: unbound prefix"])
  }

  @Test("Metadata without end give at most twenty mistakes")
  func manyMistakes() throws {
    let wrong = String(repeating: "<v:x/>", count: 5000)
    #expect(Samples.mistakes(Samples.domain(metadata: Samples.policy("", wrong))).count == DomainReading.mostMistakes)
    let groups = (0..<10_000).map { "g\($0)" }.joined(separator: " ")
    let reading = try Samples.read(Samples.domain(metadata: Samples.policy("groups='\(groups)'")))
    #expect(reading.domain.metadata?.groups.count == 32 && reading.mistakes.count == 1)
    let settings = (0..<1000).map { "<v:set key='k\($0)' value='1'/>" }.joined()
    let read = try Samples.read(Samples.domain(metadata: Samples.policy("", settings)))
    #expect(read.domain.metadata?.settings.count == 64 && read.mistakes.count == 1)
  }

  @Test("A namespace with expat's separator in it is no namespace of ours")
  func separator() {
    let mistakes = Samples.mistakes("<domain xmlns:v='https://vtcp.example/libvirt/1&#10;x'><v:policy/></domain>")
    #expect(mistakes.count == 1 && mistakes[0].contains("this is not XML"))
  }
}
