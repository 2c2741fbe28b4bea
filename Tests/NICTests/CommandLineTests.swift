// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension NICTests {
  @Suite struct CommandLineTests {
    static let mistakes: [[String]] = [
      ["--no-such-option", "--socket-path=/tmp/x", "--uplink", "null"],
      ["--socket-path=/tmp/x", "--connect=/tmp/y", "--uplink", "null"],
      ["--socket-path=/tmp/x", "--fd=3", "--uplink", "null"],
      ["--socket-path=/tmp/x"],
      ["--uplink", "null"],
      ["--socket-path=/tmp/x", "--uplink", "carrier-pigeon"],
      ["--socket-path=/tmp/x", "--uplink", "fd:"],
      ["--socket-path=/tmp/x", "--uplink", "fd:seven"],
      ["--socket-path=/tmp/x", "--uplink"],
      ["--fd=x", "--uplink", "null"],
      ["--socket-path=", "--uplink", "null"],
      ["--socket-path=/tmp/x", "--uplink", "null", "--queues", "0"],
      ["--socket-path=/tmp/x", "--uplink", "null", "--queues", "100000"],
      ["--socket-path=/tmp/x", "--uplink", "null", "--queues", "two"],
      ["--socket-path=/tmp/x", "--uplink", "null", "--queues", "99999999999999999999"],
      ["--socket-path=/tmp/x", "--uplink", "null", "--mtu", "10"],
      ["--socket-path=/tmp/x", "--uplink", "null", "--mtu", "70000"],
      ["--socket-path=/tmp/x", "--uplink", "null", "--mac", "52:54:00"],
      ["--socket-path=/tmp/x", "--uplink", "null", "--mac", "52:54:00:12:34:zz"],
      ["--socket-path=/tmp/x", "--uplink", "null", "--mac", "01:00:5e:00:00:01"],
      ["--socket-path=/tmp/x", "--uplink", "null", "--poll", "sometimes"],
      ["--socket-path=/tmp/x", "--uplink", "null", "--vtcp", "late"],
      ["--socket-path=/tmp/x", "--uplink", "null", "--vtcp", "off,always"],
      ["--socket-path=/tmp/x", "--uplink", "null", "--vtcp", "early,"],
      ["--socket-path=/tmp/x", "--uplink", "null", "--stats-file=/dev/shm/x"],
      ["--stats"],
      ["--stats", "/no/such/file"],
      ["--stats", "/etc/passwd"],
      ["--stats", "/tmp", "--json"],
      ["--json", "--socket-path=/tmp/x", "--uplink", "null"],
      ["--socket-path=/tmp/x", "--uplink", "null", "--log-level", "loud"],
      ["--socket-path=/tmp/x", "--uplink", "null", "--sandbox", "castle"],
      ["--socket-path=/tmp/x", "--uplink", "null", "--seccomp", "maim"],
      ["--socket-path=/tmp/x", "--uplink", "null", "--user", ":daemon"],
      ["--socket-path=/tmp/x", "--uplink", "null", "--user", "root:"],
      ["--socket-path=/tmp/x", "--uplink", "null", "--name", "two words"],
      ["--socket-path=/tmp/x", "--uplink", "null", "--name", String(repeating: "n", count: 65)],
      ["--socket-path=/tmp/x", "--uplink", "null", "stray"],
    ]

    @Test("A mistake on the command line is answered in one sentence and status 2", arguments: mistakes)
    func mistake(arguments: [String]) throws {
      let nic = try NICProcess(arguments)
      defer { nic.kill() }
      #expect(nic.wait() == .exited(2))
      let said = try nic.errors.allLines()
      #expect(said.count == 1, "\(said)")
      #expect(try nic.output.allLines().isEmpty)
    }

    static let refusals: [[String]] = [
      ["--socket-path=/tmp/nic-refused", "--uplink", "fd:999"],
      ["--fd=999", "--uplink", "null"],
      ["--socket-path=/no/such/directory/nic", "--uplink", "null"],
      ["--socket-path=/tmp/nic-refused", "--uplink", "packet:nosuchif0"],
      ["--socket-path=/tmp/nic-refused", "--uplink", "null", "--user", "no-such-user-here"],
      ["--socket-path=/tmp/nic-refused", "--uplink", "null", "--user", "root:no-such-group-here"],
      ["--socket-path=/tmp/nic-refused", "--uplink", "null", "--state-fd=999"],
    ]

    @Test("What the system does not have is told in one sentence, the last that is said", arguments: refusals)
    func refused(arguments: [String]) throws {
      let nic = try NICProcess(arguments)
      defer { nic.kill() }
      let ending = nic.wait()
      #expect(ending == .exited(1) || ending == .exited(2))
      let said = try nic.errors.allLines()
      #expect(said.count { !$0.contains("listening") } == 1, "\(said)")
    }

    @Test("--print-capabilities prints the JSON of a net back-end, whatever else is asked for")
    func capabilities() throws {
      let nic = try NICProcess(["--print-capabilities"])
      defer { nic.kill() }
      let lines = try nic.output.allLines()
      #expect(nic.wait() == .exited(0))
      let object = try JSONSerialization.jsonObject(with: Data(lines.joined().utf8)) as? [String: Any]
      #expect(object?["type"] as? String == "net")
      #expect((object?["features"] as? [String])?.isEmpty == true)
    }

    @Test("A NIC with a name says it in each line")
    func name() throws {
      let path = "/tmp/nic-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
      let nic = try NICProcess(["--name=web1-0", "--socket-path=\(path)", "--uplink", "null"])
      defer { nic.kill() }
      #expect(nic.errors.waitForLine(containing: "listening"))
      try nic.end()
      #expect(try nic.errors.allLines().allSatisfy { $0.hasPrefix("vtcp-nic web1-0: ") })
    }

    @Test("--help names every option, --version one line", arguments: ["--help", "--version"])
    func help(option: String) throws {
      let nic = try NICProcess([option])
      defer { nic.kill() }
      let lines = try nic.output.allLines()
      #expect(nic.wait() == .exited(0))
      if option == "--version" {
        #expect(lines.count == 1)
        return
      }
      for name in [
        "--socket-path", "--connect", "--fd", "--uplink", "--queues", "--mtu", "--mac", "--poll", "--vtcp",
        "--state-fd", "--stats-file", "--stats", "--json",
        "--user", "--sandbox", "--seccomp",
        "--log-level", "--name", "--print-capabilities", "--version",
      ] {
        #expect(lines.contains { $0.contains(name) }, "\(name)")
      }
    }
  }
}
