// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import Testing

@Suite("Names of NICs, and where their files lie")
struct NameTests {
  private let paths = RunPaths(runDirectory: "/run/vtcp", stateDirectory: "/var/lib/vtcp")

  @Test(arguments: ["web1-0", "a", "A.b_c-9", "0", String(repeating: "x", count: 64)])
  func nameOfAFileIsAName(_ text: String) throws {
    #expect(try NICName(text).text == text)
  }

  @Test(
    arguments: [
      "", ".", "..", ".hidden", "-option", "a/b", "a b", "a\u{0}b", "ü", "a:b", "a=b", "{nic}",
      String(repeating: "x", count: 65), "../../etc/passwd", "a\n",
    ])
  func whatCouldNameAnotherFileIsRefused(_ text: String) {
    #expect(throws: ServiceError.self) { try NICName(text) }
  }

  @Test func pathsOfANICLieInItsDirectories() throws {
    let name = try NICName("web1-0")
    #expect(paths.socket(name) == "/run/vtcp/web1-0.sock")
    #expect(paths.control(name) == "/run/vtcp/nics/web1-0.control")
    #expect(paths.statistics(name) == "/run/vtcp/nics/web1-0.statistics")
    #expect(paths.port(name) == "/var/lib/vtcp/ports/web1-0.json")
    #expect(paths.name(ofSocket: paths.socket(name)) == name)
  }

  @Test(
    arguments: [
      "/run/vtcp/control.sock", "/run/other/web1.sock", "run/vtcp/web1.sock", "/run/vtcp/web1", "/run/vtcp/.sock",
      "/run/vtcp/nics/web1.sock", "/run/vtcp/../vtcp/x.sock", "",
    ])
  func socketThatIsNoneOfOursIsToldApart(_ path: String) {
    #expect(paths.name(ofSocket: path) == nil)
  }

  @Test func slashesTooManyDoNotHideASocketOfOurs() throws {
    #expect(paths.name(ofSocket: "//run//vtcp/web1.sock") == (try NICName("web1")))
  }

  @Test func nameThatDoesNotFitIntoASocketsPathIsRefusedWithWhatWouldFit() throws {
    let deep = RunPaths(runDirectory: "/" + String(repeating: "d", count: 80), stateDirectory: "/s")
    // "/nics/" and ".control" leave so many of 107.
    try deep.check(try NICName(String(repeating: "x", count: 12)))
    do {
      try deep.check(try NICName(String(repeating: "x", count: 13)))
      Issue.record("a path of 108 octets was taken")
    } catch {
      #expect(error.description.contains("at most 12 octets"), "\(error)")
    }
    let deeper = RunPaths(runDirectory: "/" + String(repeating: "d", count: 100), stateDirectory: "/s")
    #expect(throws: ServiceError.self) { try deeper.check(try NICName("x")) }
  }

  @Test func nameOfTheControlSocketIsTaken() {
    #expect(throws: ServiceError.self) { try paths.check(try NICName("control")) }
  }

  @Test(
    arguments: [
      ("tap:{nic}", "web1", "tap:web1"), ("tap:vm-{nic}", "a", "tap:vm-a"), ("packet:eth1", "web1", "packet:eth1"),
      ("null", "web1", "null"), ("tap:{nic}", "fifteen-letters", "tap:fifteen-letters"),
    ])
  func templateGivesEachNICItsUplink(_ template: String, _ name: String, _ uplink: String) throws {
    #expect(try #require(UplinkTemplate(template)).uplink(for: try NICName(name)) == uplink)
  }

  @Test func interfaceNameThatIsTooLongIsCutTheSameWayEachTimeAndNotToThatOfAnother() throws {
    let template = try #require(UplinkTemplate("tap:{nic}"))
    let first = template.uplink(for: try NICName("legacy-windows-0"))
    let second = template.uplink(for: try NICName("legacy-windows-1"))
    #expect(first.utf8.count == "tap:".utf8.count + 15)
    #expect(first.hasPrefix("tap:legacy-w-"))
    #expect(first != second)
    #expect(first == template.uplink(for: try NICName("legacy-windows-0")))
  }

  @Test(arguments: ["tap", "tap:", "fd:5", "tap:{vm}", "tap:a b", "tap:a/b", "packet:..", "", "tap:{nic", "macvtap:x"])
  func templateThatGivesNoUplinkIsRefused(_ text: String) {
    #expect(UplinkTemplate(text) == nil)
  }

  @Test func usersAreGivenOutOnceEach() throws {
    let range = try #require(UserRange(parsing: "64000-64002"))
    #expect(range.free(besides: []) == 64000)
    #expect(range.free(besides: [64000, 64001, 7]) == 64002)
    #expect(range.free(besides: [64000, 64001, 64002]) == nil)
  }

  @Test(arguments: ["", "64000", "0-5", "5-4", "-5", "5-", "a-b", "1-2-3", "1-4294967295", "1-99999999999"])
  func rangeThatIsNoneIsRefused(_ text: String) {
    #expect(UserRange(parsing: text) == nil)
  }
}
