// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

extension NICTests {
  @Suite struct ConnectionTests {
    /// A socket path of this test process's own.
    private func path() -> String {
      NSTemporaryDirectory() + "/nic-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
    }

    @Test("A front-end that went away can come again, as often as it likes")
    func reconnect() throws {
      let path = path()
      let nic = try NICProcess(["--socket-path=\(path)", "--uplink", "null"])
      defer { nic.kill() }
      let ram = try GuestRAM(size: 4 << 20)
      var descriptors: [Int] = []
      for _ in 0..<20 {
        let frontEnd = try FrontEnd(connectingTo: path, ram: ram)
        try frontEnd.negotiate()
        let guest = try MockGuest(
          frontEnd: frontEnd, features: Rig.plainFeatures, options: DriverQueue.Options(size: 16))
        try guest.start()
        try guest.transmit(Rig.frame(1))
        try guest.reclaim(1)
        descriptors.append(try nic.openDescriptors())
        ram.mark = 0x10_0000
      }
      #expect(Set(descriptors).count == 1, "\(descriptors)")
      try nic.end()
    }

    @Test("A stale socket file does not keep it from listening")
    func staleSocket() throws {
      let path = path()
      _ = try FrontEnd.listen(at: path)
      let nic = try NICProcess(["--socket-path=\(path)", "--uplink", "null"])
      defer { nic.kill() }
      let frontEnd = try FrontEnd(connectingTo: path, ram: try GuestRAM(size: 4 << 20))
      #expect(try frontEnd.getFeatures() == Feature.offered)
      try nic.end()
    }

    @Test("With --connect it waits for a front-end that is not there yet, and again for one that went away")
    func client() throws {
      let path = path()
      let nic = try NICProcess(["--connect=\(path)", "--uplink", "null"])
      defer { nic.kill() }
      let listener = try FrontEnd.listen(at: path)
      defer { unlink(path) }
      for _ in 0..<2 {
        let socket = try FrontEnd.accept(from: listener)
        let frontEnd = FrontEnd(socket: socket, ram: try GuestRAM(size: 4 << 20))
        #expect(try frontEnd.getFeatures() == Feature.offered)
      }
      try nic.end()
    }

    @Test("SIGTERM ends it with status 0 in the middle of a message")
    func terminateInMessage() throws {
      try Rig.runNegotiated { (rig) throws in
        try rig.frontEnd.sendRaw(Array(FrontEnd.encode(2, payload: [0, 0, 0, 0, 0, 0, 0, 0]).prefix(7)))
      }
    }

    @Test("SIGUSR1 has it say one line of counters for each queue")
    func counters() throws {
      try Rig.run(Rig.Shape(pairs: 2)) { (rig) throws in
        try rig.guest.transmit(Rig.frame(1))
        try rig.guest.reclaim(1)
        let before = rig.nic.errors.lines.count
        rig.nic.signal(SIGUSR1)
        let deadline = Deadline(after: 5)
        while rig.nic.errors.lines.count < before + 4, !deadline.hasPassed { usleep(1000) }
        #expect(rig.nic.errors.lines.count == before + 4, "\(rig.nic.errors.lines)")
      }
    }
  }
}
