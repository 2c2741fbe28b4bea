// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import Testing

@Suite("The control protocol's lines and paths")
struct RequestLineTests {
  private func parse(_ text: String) throws -> ControlRequestLine { try ControlRequestLine(parsing: text.utf8) }

  @Test func lineIsReadAsItIsWritten() throws {
    let path = ControlPath(
      ["v1", "nics", "web 1/ü%"], parameters: [.init("vm", "a&b=c"), .init("empty", ""), .init("x", "?#")])
    let line = ControlRequestLine(.put, path, bodyLength: 17)
    #expect(try parse("\(line)") == line)
    #expect("\(line)".utf8.allSatisfy { $0 > 0x1F && $0 < 0x7F })
  }

  @Test func partsOfAPathAreDecoded() throws {
    let line = try parse("POST /v1/libvirt/hook?vm=web%201&operation=start&sub= 4194304")
    #expect(line.method == .post)
    #expect(line.path.segments == ["v1", "libvirt", "hook"])
    #expect(line.path["vm"] == "web 1")
    #expect(line.path["operation"] == "start")
    #expect(line.path["sub"] == "")
    #expect(line.path["none"] == nil)
    #expect(line.bodyLength == ControlLimits.body)
  }

  @Test(
    arguments: [
      ("", "METHOD PATH LENGTH"), ("GET", "METHOD PATH LENGTH"), ("GET /v1", "METHOD PATH LENGTH"),
      ("GET  /v1 0", "METHOD PATH LENGTH"), ("get /v1 0", "no method 'get'"), ("PATCH /v1 0", "no method 'PATCH'"),
      ("GET v1 0", "begins with a slash"), ("GET /v1 -1", "number of octets"), ("GET /v1 +1", "number of octets"),
      ("GET /v1 ", "number of octets"), ("GET /v1 4194305", "at most 4194304"),
      ("GET /v1 99999999999999999999", "at most 4194304"), ("GET /v1//nics 0", "empty parts"),
      ("GET / 0", "empty parts"),
      ("GET /v1%2 0", "two hexadecimal digits"), ("GET /v1%zz 0", "two hexadecimal digits"),
      ("GET /v1%00 0", "without NUL"), ("GET /v1%ff 0", "is UTF-8"), ("GET /ü 0", "percent-encoded"),
      ("GET /v1?a=1&a=2 0", "'a' twice"),
    ])
  func lineThatIsNoneIsRefusedWithASentence(_ line: String, _ part: String) {
    do {
      _ = try parse(line)
      Issue.record("'\(line)' was taken")
    } catch {
      #expect("\(error)".contains(part), "\(line): \(error)")
    }
  }

  @Test func lineThatIsNoTextIsRefused() {
    #expect(throws: ControlProtocolError.self) { try ControlRequestLine(parsing: [0x47, 0xFF, 0x20]) }
  }

  @Test(arguments: ControlStatus.allCases, [nil, 0, 12] as [Int?])
  func answersLineIsReadAsItIsWritten(_ status: ControlStatus, _ length: Int?) throws {
    let line = ControlAnswerLine(status, bodyLength: length)
    #expect(try ControlAnswerLine(parsing: "\(line)".utf8) == line)
  }

  @Test(arguments: ["", "200", "200 x", "299 1", "200 -1", "200 1 2", "20O 1", "200 4194305"])
  func answersLineThatIsNoneIsRefused(_ line: String) {
    #expect(throws: ControlProtocolError.self) { try ControlAnswerLine(parsing: line.utf8) }
  }
}
