// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension NICTests {
  @Suite struct StatisticsTests {
    /// On a tmpfs, for one test.
    private final class File {
      let path = "/dev/shm/vtcp-nic-test-\(UUID().uuidString)"
      deinit { unlink(path) }
    }

    private static func read(_ path: String) throws -> [String: Any] {
      let reader = try NICProcess(["--stats", path, "--json"])
      let lines = try reader.output.allLines()
      #expect(reader.wait() == .exited(0), "\(reader.errors.text)")
      return try #require(JSONSerialization.jsonObject(with: Data(lines.joined().utf8)) as? [String: Any])
    }

    private static func writer(_ path: String) throws -> Int32? {
      (try read(path)["process"] as? [String: Any])?["pid"] as? Int32
    }

    /// Whether it is refused, in one sentence with this in it.
    private static func refused(_ arguments: [String], _ words: String) throws {
      let nic = try NICProcess(arguments)
      defer { nic.kill() }
      #expect(nic.wait() == .exited(2))
      let said = try nic.errors.allLines()
      #expect(said.count == 1 && said[0].contains(words), "\(said)")
    }

    private static func shape(_ file: File) -> Rig.Shape {
      Rig.Shape(arguments: ["--vtcp", "early,always", "--stats-file=\(file.path)"])
    }

    @Test("Another process reads what a confined NIC does, and whether it still runs")
    func read() throws {
      let file = File()
      try Rig.run(Self.shape(file)) { rig in
        var syn = FrameBuilder(.v4, .tcp, payload: [])
        syn.flags = 2
        syn.options = [2, 4, 5, 180]
        try rig.guest.transmit(syn.frame())
        #expect(try rig.network.receive().frame == syn.frame())
        try rig.guest.reclaim(1)
        try rig.synchronize()
        let statistics = try Self.read(file.path)
        let process = try #require(statistics["process"] as? [String: Any])
        #expect(process["running"] as? Bool == true)
        #expect(process["pid"] as? Int32 == rig.nic.identifier)
        #expect(process["mode"] as? String == "early")
        #expect((statistics["counters"] as? [String: Any])?["flows"] as? Int == 1)
        let flow = try #require((statistics["flows"] as? [[String: Any]])?.first)
        #expect(flow["phase"] as? String == "syn-seen")
        #expect((flow["guest"] as? [String: Any])?["port"] as? Int == 40000)
        #expect((flow["network"] as? [String: Any])?["port"] as? Int == 5001)
        let attributes = try FileManager.default.attributesOfItem(atPath: file.path)
        #expect(attributes[.posixPermissions] as? Int == 0o640)
      }
      let process = try #require(try Self.read(file.path)["process"] as? [String: Any])
      #expect(process["running"] as? Bool == false)
    }

    @Test("A file that is cut short, whenever, costs the figures and not the traffic")
    func cutShort() throws {
      let file = File()
      try Rig.run(Self.shape(file)) { rig in
        try rig.checkTraffic(number: 1)
        truncate(file.path, 0)
        for number in 1...4 { try rig.checkTraffic(number: 2 * number + 1) }
        try rig.synchronize()
        let words = "the statistics file was cut short"
        #expect(rig.nic.errors.waitForLine(containing: words))
        #expect(rig.nic.errors.lines.count { $0.contains(words) } == 1)
        try Self.refused(["--stats", file.path], "empty")
      }
    }

    @Test("Two NICs don't share a file, and the next one makes it anew")
    func claim() throws {
      let file = File()
      let second = ["--socket-path=/tmp/nic-\(UUID().uuidString)", "--uplink", "null", "--vtcp", "early,always"]
      try Rig.run(Self.shape(file)) { rig in
        try Self.refused(second + ["--stats-file", file.path], "another vtcp-nic writes it")
        let writer = try Self.writer(file.path)
        #expect(writer == rig.nic.identifier)
      }
      try Rig.run(Self.shape(file)) { rig in
        let writer = try Self.writer(file.path)
        #expect(writer == rig.nic.identifier)
      }
    }

    @Test("What is no statistics file is neither read nor replaced")
    func others() throws {
      let file = File()
      let nic = ["--socket-path=/tmp/nic-\(UUID().uuidString)", "--uplink", "null", "--vtcp", "early,always"]
      let octets = Data((0..<5000).map { UInt8(truncatingIfNeeded: $0) })
      try octets.write(to: URL(fileURLWithPath: file.path))
      try Self.refused(nic + ["--stats-file", file.path], "is something else")
      #expect(try Data(contentsOf: URL(fileURLWithPath: file.path)) == octets)
      try Self.refused(["--stats", file.path], "begins with vTCPmoni")
      let link = File()
      symlink(file.path, link.path)
      try Self.refused(nic + ["--stats-file", link.path], "symbolic link")
      let pipe = File()
      mkfifo(pipe.path, 0o600)
      try Self.refused(nic + ["--stats-file", pipe.path], "regular file")
      try Self.refused(["--stats", pipe.path], "regular file")
    }
  }
}
