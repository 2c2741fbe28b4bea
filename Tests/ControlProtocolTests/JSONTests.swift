// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import Testing

@Suite("JSON as answers have it")
struct JSONTests {
  private func parse(_ text: String) throws -> JSONValue { try JSONValue(parsing: text.utf8) }

  @Test func valueIsReadAsItIsWritten() throws {
    let value: JSONValue = [
      "text": "a \"quoted\" \\ line\nand\tü\u{1}\u{7F}𝄞", "number": -42, "largest": .integer(.max),
      "smallest": .integer(.min),
      "half": .double(0.5), "yes": true, "no": false, "nothing": .null, "list": [1, "two", [], .object([])],
    ]
    #expect(try parse(value.text) == value)
    #expect(!value.text.utf8.contains(UInt8(ascii: "\n")))
  }

  @Test func spaceAndEscapesOfOthersAreUnderstood() throws {
    let value = try parse(" {\r\n\t\"a\" : [ 1 , 2.5e1 ] , \"b\":\"\\u00fc\\ud834\\udd1e\\/\\b\\f\\r\" } ")
    #expect(value["a"] == [1, .double(25)])
    #expect(value["b"]?.string == "ü𝄞/\u{8}\u{C}\r")
  }

  @Test func whatIsNotANumberBecomesNull() {
    #expect(JSONValue.array([.double(.nan), .double(.infinity)]).text == "[null, null]")
  }

  @Test(
    arguments: [
      ("", "ends too early"), ("nul", "no value"), ("[1,]", "no value"), ("[1", "comma or ]"),
      ("{\"a\":1", "comma or }"),
      ("{\"a\" 1}", "colon"), ("{a:1}", "name"), ("{\"a\":1,\"a\":2}", "twice"), ("1 2", "follow"), ("01", "zeroes"),
      ("-00", "zeroes"),
      ("-", "digit"), ("1.", "digit"), ("1e", "digit"), ("1e999", "too large"), ("\"a", "does not end"),
      ("\"\n\"", "control characters"), ("\"\\x\"", "escape"), ("\"\\u12\"", "four"), ("\"\\u+123\"", "four"),
      ("\"\\ud834\"", "surrogate"), ("\"\\udd1e\"", "surrogate"), ("+1", "no value"), ("'a'", "no value"),
    ])
  func textThatIsNoneIsRefusedWithAPlace(_ text: String, _ part: String) {
    do {
      _ = try parse(text)
      Issue.record("'\(text)' was taken")
    } catch {
      #expect("\(error)".contains(part), "\(text): \(error)")
    }
  }

  @Test func depthIsBounded() throws {
    let deepest = ControlLimits.depth
    _ = try parse(String(repeating: "[", count: deepest) + String(repeating: "]", count: deepest))
    #expect(throws: ControlProtocolError.self) { try parse(String(repeating: "[", count: 100_000)) }
  }

  @Test func octetsThatAreNoTextAreRefused() {
    #expect(throws: ControlProtocolError.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
  }

  /// Nothing traps, whatever is cut out of a good text or put into it.
  @Test func damagedTextIsReadOrRefused() {
    let good = Array(#"{"a": [1, -2.5e-3, "x\u00e4\ud834\udd1e\n", true, null], "b": {"c": false}}"#.utf8)
    for cut in 0..<good.count {
      _ = try? JSONValue(parsing: good[..<cut])
      for octet in [0, 0x22, 0x2C, 0x5B, 0x5C, 0x75, 0x7D, 0xFF] as [UInt8] {
        var bad = good
        bad[cut] = octet
        _ = try? JSONValue(parsing: bad)
      }
    }
  }

  @Test func failureSaysWhatItIsAbout() throws {
    let failure = ControlFailure("the policy in force stays", mistakes: ["policy.yaml:1:2: error: no"])
    let answer = ControlAnswer(.mistaken, failure)
    #expect(answer.failure == failure)
    #expect(ControlAnswer(.good, failure).failure == nil)
    #expect(ControlAnswer(.failed, body: Array("what?".utf8)).failure?.sentence == "what?")
    #expect(ControlAnswer(.failed, body: []).failure?.sentence == "status 500")
  }
}
