// SPDX-License-Identifier: Apache-2.0
import FrameSupport
import Testing
import YAMLDocument

@Suite("YAML to a tree") struct YAMLReaderTests {
  /// Of a tree all that it has, with places.
  private func shown(_ node: YAMLNode) -> String {
    switch node.content {
    case .scalar(let text, let isPlain): "\(node.mark)\(isPlain ? "" : "q")'\(text)'"
    case .sequence(let nodes): "\(node.mark)[\(nodes.map(shown).joined(separator: " "))]"
    case .mapping(let entries):
      "\(node.mark){\(entries.map { "\($0.mark)\($0.key):\(shown($0.value))" }.joined(separator: " "))}"
    }
  }

  @Test(
    "Each node has its place",
    arguments: [
      ("a: 1\nb:\n  - x\n  - \"y z\"\n", "1:1{1:1a:1:4'1' 2:1b:3:3[3:5'x' 4:5q'y z']}"),
      ("{a: [1, 'two'], b: {c: }}", "1:1{1:2a:1:5[1:6'1' 1:9q'two'] 1:17b:1:20{1:21c:1:24''}}"),
      ("ä: ö\nü:  é", "1:1{1:1ä:1:4'ö' 2:1ü:2:5'é'}"),
      ("a: |\n  one\n  two\nb: x", "1:1{1:1a:1:4q'one\ntwo\n' 4:1b:4:4'x'}"),
      ("\u{feff}a: 1", "1:1{1:1a:1:4'1'}"), ("a: 1\r\nb: 2\r\n", "1:1{1:1a:1:4'1' 2:1b:2:4'2'}"), ("", "1:1''"),
      ("# nothing\n", "1:1''"),
      ("--- x\n...\n", "1:5'x'"),
    ])
  func tree(_ text: String, _ expected: String) throws {
    let reading = YAMLReader.read(text)
    #expect(reading.mistakes == [])
    #expect(shown(try #require(reading.root)) == expected)
  }

  @Test(
    "What is wrong is told with its place",
    arguments: [
      ("a: 1\na: 2", ["2:1: 'a' is there already, on line 1"]),
      (
        "a: &x 1\nb: *x\n",
        [
          "1:4: anchors (&) are not known here: write what it stands for in each place",
          "2:4: aliases (*) are not known here; text that begins with * stands in quotes",
        ]
      ),
      ("a: !!int 1", ["1:4: tags (!) are not known here; text that begins with ! stands in quotes"]),
      ("<<: a", ["1:1: merge keys (<<) are not known here: classes say 'extends'"]),
      ("[a]: b", ["1:1: a key is a word, not a list"]), ("? {a: b}\n: c", ["1:3: a key is a word, not a mapping"]),
      ("a\n---\nb", ["2:1: there is one document in a text; put this one into a file of its own"]),
      ("a: \"\u{7}\"", ["1:5: the character U+0007 can't stand in a text; take it out"]),
      (
        "a:\n\tb: 1",
        [
          "2:1: this is no YAML: while scanning for the next token, begun on line 2: found character that cannot start any token"
        ]
      ),
      (
        "a: [1, 2",
        ["2:1: this is no YAML: while parsing a flow sequence, begun on line 1: did not find expected ',' or ']'"]
      ),
      ("x: \u{200b}\u{fffe}", ["1:5: the character U+FFFE can't stand in a text; take it out"]),
    ])
  func mistakes(_ text: String, _ expected: [String]) {
    #expect(YAMLReader.read(text).mistakes.map(\.description) == expected)
  }

  @Test("A long text, a deep one, one of many values and a long key are refused")
  func limits() {
    let long = YAMLReader.read([UInt8](repeating: 0x23, count: YAMLLimits.octets + 1))
    #expect(
      long.root == nil && long.mistakes.map(\.description) == ["1:1: there are 1048577 octets, and may be 1048576"])
    #expect(YAMLReader.read([UInt8](repeating: 0x23, count: YAMLLimits.octets)).mistakes == [])
    func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
    #expect(YAMLReader.read(nested(YAMLLimits.depth)).mistakes == [])
    let deep = YAMLReader.read(nested(YAMLLimits.depth + 1))
    #expect(
      deep.root == nil
        && deep.mistakes.map(\.description) == ["1:33: lists and mappings stand in one another 32 deep at the most"])
    let many = "[" + String(repeating: "1,", count: YAMLLimits.nodes) + "1]"
    #expect(YAMLReader.read(many).mistakes.map(\.sentence) == ["there are more than 100000 values"])
    #expect(
      YAMLReader.read(String(repeating: "k", count: 257) + ": 1").mistakes.map(\.sentence) == [
        "a key has 256 octets at the most"
      ])
  }

  @Test("A hundred mistakes are told")
  func most() { #expect(YAMLReader.read((0..<500).map { _ in "- &a 1\n" }.joined()).mistakes.count == 100) }

  @Test(
    "Invalid UTF-8 is told with its place",
    arguments: [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80]] as [[UInt8]])
  func octets(_ octets: [UInt8]) {
    let reading = YAMLReader.read(Array("a: ö\nb: ".utf8) + octets)
    #expect(reading.mistakes.map(\.description) == ["2:4: this is no UTF-8 text"])
  }

  @Test("Random octets are read to an end")
  func random() {
    var random = SplitMix64(seed: 3)
    let letters = Array("ab:-[]{}&*!|>'\"%@`#,?\n\n   \t~<0\\".utf8)
    for _ in 0..<3000 {
      let octets = (0..<Int.random(in: 0...60, using: &random)).map { _ in
        letters[Int.random(in: 0..<letters.count, using: &random)]
      }
      let reading = YAMLReader.read(octets)
      #expect(reading.root != nil || !reading.mistakes.isEmpty, "\(octets)")
    }
  }

  @Test("What is written as JSON is read as it was")
  func json() throws {
    let text = "quotes \" and \\ and \u{1} and \n and ä"
    let value: JSONValue = .object([
      JSONMember("text", .string(text)),
      JSONMember("list", .array([.int(-5), .bool(true), .null, .number("1.5"), .array([])])),
      JSONMember("empty", .object([])),
    ])
    for written in [value.description, value.pretty] {
      let root = try #require(YAMLReader.read(written).root)
      #expect(root["text"]?.text == text)
      #expect(root["list"]?.elements?.map { $0.text ?? $0.kind } == ["-5", "true", "nothing", "1.5", "a list"])
      #expect(root["empty"]?.entries?.isEmpty == true)
    }
  }
}
