// SPDX-License-Identifier: Apache-2.0

import HostService
import ControlProtocol
import Testing
import Timekeeping

@Suite("vtcpd.yaml")
struct ConfigurationTests {
  private func read(_ text: String) throws(ServiceError) -> ServiceConfiguration {
    try ServiceConfiguration(reading: Array(text.utf8), file: "vtcpd.yaml")
  }

  private func mistakes(_ text: String) -> [String] {
    do throws(ServiceError) {
      _ = try read(text)
      return []
    } catch {
      return error.failure.mistakes
    }
  }

  @Test(arguments: ["", "---\n", "# nothing\n", "{}", "apiVersion: vtcp/v1\n", "nics:\ndefaults:\n"])
  func configurationThatSaysNothingIsTheDefault(_ text: String) throws {
    #expect(try read(text) == ServiceConfiguration())
  }

  @Test func everyKeyIsRead() throws {
    let read = try read(
      """
      apiVersion: vtcp/v1
      runDirectory: /run/other/
      stateDirectory: /srv/./state
      policy: [/a.yaml, /b.d]
      control: { group: vtcp, administrators: [alice, 1001] }
      sockets: { group: kvm }
      nics:
        program: /opt/vtcp-nic
        users: 64000-64999
        group: vtcp-nics
        memory: 256MiB
        files: 8192
        controlGroup: /sys/fs/cgroup/vtcp
        options: [--sandbox=on, --log-level=debug]
      uplink: { default: "tap:v-{nic}", bridge: br0 }
      defaults: { queues: 4, mtu: 9000, mode: "snoop,always", poll: never }
      restart: { deaths: 3, stableAfter: 5s, firstDelay: 50ms, longestDelay: 1m }
      """)
    var wanted = ServiceConfiguration()
    wanted.paths = RunPaths(runDirectory: "/run/other", stateDirectory: "/srv/state")
    wanted.policyFiles = ["/a.yaml", "/b.d"]
    wanted.controlGroup = "vtcp"
    wanted.administrators = ["alice", "1001"]
    wanted.socketGroup = "kvm"
    wanted.program = "/opt/vtcp-nic"
    wanted.users = UserRange(64_000...64_999)
    wanted.nicGroup = "vtcp-nics"
    wanted.memoryLimit = 256 << 20
    wanted.fileLimit = 8192
    wanted.controlGroupDirectory = "/sys/fs/cgroup/vtcp"
    wanted.options = ["--sandbox=on", "--log-level=debug"]
    wanted.uplink = UplinkTemplate("tap:v-{nic}")
    wanted.bridge = "br0"
    wanted.queuePairs = 4
    wanted.mtu = 9000
    wanted.mode = "snoop,always"
    wanted.poll = "never"
    wanted.restart.deaths = 3
    wanted.restart.stableAfter = .seconds(5)
    wanted.restart.firstDelay = .milliseconds(50)
    wanted.restart.longestDelay = .seconds(60)
    #expect(read == wanted)
  }

  @Test func noUplinkByDefaultCanBeSaid() throws {
    #expect(try read("uplink: { default: none }").uplink == nil)
  }

  @Test func allMistakesAreToldAtOnceEachWithItsPlace() {
    let lines = mistakes(
      """
      runDirectory: run/vtcp
      nisc: {}
      nics:
        users: 0-5
        memory: 256MB
        filse: 5
      defaults:
        queues: 65
        mode: erly
        mtu: [1]
      restart: quickly
      """)
    #expect(
      lines == [
        "vtcpd.yaml:1:15: error: 'runDirectory' is a path that begins with a slash, not 'run/vtcp'",
        "vtcpd.yaml:2:1: error: there is no key 'nisc' (did you mean nics?)",
        "vtcpd.yaml:4:10: error: 'nics.users' is a range of user numbers above 0 such as 64000-64999, or own, not '0-5'",
        "vtcpd.yaml:5:11: error: 'nics.memory' is a size such as 256MiB, from 67108864 to 1099511627776 octets, not '256MB'",
        "vtcpd.yaml:6:3: error: there is no key 'nics.filse' (did you mean files?)",
        "vtcpd.yaml:8:11: error: 'defaults.queues' is a number from 1 to 64, not '65'",
        "vtcpd.yaml:9:9: error: 'defaults.mode' is off, limit, snoop, early, snoop,always or early,always, not 'erly' (did you mean early?)",
        "vtcpd.yaml:10:8: error: 'defaults.mtu' is a number from 68 to 65535, not a list",
        "vtcpd.yaml:11:10: error: 'restart' is a mapping of keys to values, not a value",
      ])
  }

  @Test(
    arguments: [
      ("runDirectory: /a/../b", "1:15"), ("policy: [relative.yaml]", "1:9"), ("policy: { a: b }", "1:9"),
      ("apiVersion: vtcp/v2", "1:13"), ("uplink: { default: \"fd:5\" }", "1:20"), ("uplink: { bridge: a/b }", "1:19"),
      ("nics: { users: 5-4 }", "1:16"), ("nics: { users: 64000-64999 }", "1:16"), ("nics: { memory: 1MiB }", "1:17"),
      ("nics: { options: [sandbox] }", "1:18"),
      ("nics: { memory: 99999999999999999999GiB }", "1:17"), ("restart: { firstDelay: 2d }", "1:24"),
      ("restart: { firstDelay: 25h }", "1:24"), ("restart: { firstDelay: 99999999999999999999s }", "1:24"),
      ("restart: { deaths: 0 }", "1:20"), ("defaults: { poll: sometimes }", "1:19"), ("- a", "1:1"),
      ("just text", "1:1"),
      ("a: 1\na: 2", "1:1"), ("control: { administrators: { a: b } }", "1:28"),
    ])
  func mistakeIsToldWithItsPlace(_ text: String, _ place: String) {
    let lines = mistakes(text)
    #expect(lines.contains { $0.hasPrefix("vtcpd.yaml:\(place): error: ") }, "\(text): \(lines)")
  }

  @Test(arguments: ["a: [", "\t", "a: b: c", "\u{0}", "&a *a", "a: 'b"])
  func textThatIsNoYAMLIsRefused(_ text: String) {
    #expect(!mistakes(text).isEmpty)
  }

  @Test func octetsThatAreNoTextAreRefused() {
    #expect(throws: ServiceError.self) { try ServiceConfiguration(reading: [0xFF, 0xFE, 0x00], file: "x") }
  }

  @Test func mistakesAreNotToldWithoutEnd() {
    let text = (0..<1000).map { "key\($0): 1\n" }.joined()
    #expect((1...100).contains(mistakes(text).count))
  }
}
