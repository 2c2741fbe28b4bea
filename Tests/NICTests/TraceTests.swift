// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension NICTests {
  @Suite struct TraceTests {
    static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("VhostUserTests/Traces")

    static let names = [
      "qemu-7.2.22-tcg-1q-vectors0", "qemu-10.0.2-tcg-1q-migrate-device-state",
      "qemu-10.0.2-tcg-2q-packed-all-features",
      "qemu-10.0.2-migration-source-dpdk", "qemu-10.0.2-migration-source-passt",
      "qemu-10.0.2-migration-destination-dpdk", "qemu-10.0.2-migration-destination-passt",
    ]

    @Test("What a real QEMU sent gets a reply exactly where one is due", arguments: names)
    func replay(name: String) throws {
      let text = try String(contentsOf: Self.directory.appendingPathComponent(name + ".txt"), encoding: .utf8)
      let replay = try TraceReplay(parsing: text)
      let (ours, theirs) = try Descriptor.socketPair(1)
      let nic = try NICProcess(
        ["--fd=\(theirs.number)", "--uplink", "null", "--queues", "2"], inheriting: [theirs])
      defer { nic.kill() }
      let session = TraceReplay.Session(FrontEnd(socket: ours, ram: try GuestRAM()))
      try replay.play(on: session)
      #expect(!session.replies.isEmpty)
      try nic.end()
    }
  }
}
