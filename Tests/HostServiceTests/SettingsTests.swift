// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import Testing

@Suite("What a NIC is to be like")
struct SettingsTests {
  private func read(_ text: String, isStored: Bool = false) throws(ServiceError) -> NICSettings {
    try NICSettings(reading: Array(text.utf8), file: "request", isStored: isStored)
  }

  @Test func settingsAreReadAsTheyAreKept() throws {
    var settings = NICSettings()
    settings.origin = .libvirt
    settings.user = 64_001
    settings.machine = "web 1 \"quoted\""
    settings.uuid = "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"
    settings.macAddress = "52:54:00:00:00:01"
    settings.alias = "ua-vtcp"
    settings.groups = ["web", "dmz"]
    settings.machineClass = "bulk"
    settings.nicClass = "gold"
    settings.inline = [.init("buffer", "4MiB"), .init("tx.rate", "1Gbit")]
    settings.bandwidth = .init(
      inbound: .init(average: 1000, peak: 2000, burst: 64), outbound: .init(average: 5, peak: nil, burst: nil))
    settings.uplink = "tap:web1"
    settings.bridge = "br0"
    settings.queuePairs = 4
    settings.mtu = 9000
    settings.mode = "early,always"
    #expect(try read(settings.json.text, isStored: true) == settings)
  }

  @Test func nothingIsRequired() throws {
    #expect(try read("{}") == NICSettings())
    #expect(try read("vm: web1\nmode: snoop\n").machine == "web1")
  }

  @Test func requestCanNotSayWhatIsTheServicesToSay() {
    for text in ["origin: libvirt", "user: 0"] {
      #expect(throws: ServiceError.self) { try read(text) }
    }
  }

  @Test(
    arguments: [
      "vm: [a]", "uuid: 1234", "uuid: 4dea22b3-1d52-d8f3-2516-782e98ab3fzz", "mac: 1:2:3", "mac: 01:00:5e:00:00:01",
      "queues: 0", "queues: 65", "queues: two", "mtu: 67", "mtu: 65536", "mode: fast", "uplink: \"fd:3\"",
      "uplink: \"tap:a/b\"", "bridge: a-name-that-is-too-long", "class: {}", "bandwidth: 5",
      "bandwidth: { inbound: { average: -1 } }", "bandwidth: { inbound: { avg: 1 } }", "settings: [a]",
      "settings: { a: [b] }", "nam: x", "- a", "vm: \(String(repeating: "x", count: 257))",
    ])
  func settingThatCanNotBeIsRefused(_ text: String) {
    do {
      _ = try read(text)
      Issue.record("'\(text)' was taken")
    } catch {
      #expect(error.status == .mistaken)
      #expect(error.failure.mistakes.allSatisfy { $0.hasPrefix("request:") } && !error.failure.mistakes.isEmpty)
    }
  }

  @Test func whatNeedsANewProgramIsToldApartFromWhatDoesNot() throws {
    let one = try read("{vm: a, queues: 2}")
    var other = one
    other.nicClass = "gold"
    other.groups = ["x"]
    #expect(!one.startsDifferently(from: other))
    other.queuePairs = 4
    other.macAddress = "52:54:00:00:00:01"
    #expect(one.startsDifferently(from: other))
    #expect(one.differences(from: other) == "queues, mac")
  }

  @Test func programIsStartedWithWhatTheSettingsAndTheDefaultsSay() throws {
    var configuration = ServiceConfiguration()
    configuration.options = ["--sandbox=on"]
    let settings = try read("{queues: 2, mtu: 9000, mac: \"52:54:00:00:00:01\"}")
    let command = NICCommand(
      name: try NICName("web1"), settings: settings, configuration: configuration, uplink: "tap:web1",
      descriptorNames: ["listener", "uplink-0", "uplink-1"], policy: "/run/vtcp/nics/web1.policy")
    #expect(
      command.arguments == [
        "--name=web1", "--socket-path=/run/vtcp/web1.sock", "--uplink=tap:web1", "--queues=2", "--vtcp=early",
        "--poll=adaptive",
        "--control-socket=/run/vtcp/nics/web1.control", "--mtu=9000", "--mac=52:54:00:00:00:01",
        "--stats-file=/run/vtcp/nics/web1.statistics", "--policy=/run/vtcp/nics/web1.policy", "--sandbox=on",
      ])
    #expect(
      command.environment == [
        "LISTEN_PID=0000000000", "LISTEN_FDS=3", "LISTEN_FDNAMES=listener:uplink-0:uplink-1",
        "NOTIFY_SOCKET=/run/vtcp/nics/web1.notify",
      ])
  }

  @Test func programWithoutTheAcceleratorGetsNoPolicyAndNoStatistics() throws {
    let command = NICCommand(
      name: try NICName("web1"), settings: try read("mode: \"off\""), configuration: ServiceConfiguration(),
      uplink: "null", descriptorNames: [], policy: "/p")
    #expect(!command.arguments.contains { $0.hasPrefix("--policy") || $0.hasPrefix("--stats-file") })
    #expect(command.arguments.contains("--vtcp=off"))
  }
}
