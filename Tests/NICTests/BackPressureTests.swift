// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension NICTests {
  @Suite struct BackPressureTests {
    @Test(
      "Without receive buffers frames wait at the uplink, and none is lost", arguments: DriverQueue.Layout.allCases,
      ["off", "early,always"])
    func noBuffers(layout: DriverQueue.Layout, acceleration: String) throws {
      let shape = Rig.Shape(
        options: .init(layout: layout, size: 64), arguments: ["--vtcp", acceleration], uplinkBuffer: 16384)
      try Rig.run(shape) { (rig) throws in
        var sent = 0
        let end = Deadline(after: 0.1)
        while sent < 5000, !end.hasPassed {
          guard rig.network.trySend(Rig.frame(sent)) else { break }
          sent += 1
        }
        #expect(sent < 5000, "the uplink is read although nothing can be delivered")
        for number in 0..<sent {
          try rig.guest.post(1, lengths: [2048])
          #expect(try Rig.number(of: rig.guest.receive().frame) == number)
        }
      }
    }

    @Test(
      "A frame that needs more buffers than there are waits for them without burning the CPU (kernel CVE-2026-74356)")
    func oneSmallBuffer() throws {
      let features = Rig.plainFeatures | Feature.guestCsum | Feature.guestTSO4
      try Rig.run(Rig.Shape(features: features)) { (rig) throws in
        try rig.guest.post(1, lengths: [1536])
        var builder = FrameBuilder(.v4, .tcp, payload: FrameBuilder.pattern(60000))
        builder.checksum = .partial
        try rig.network.send(.init(header: builder.header(gsoSize: 1448), frame: builder.frame()))
        try rig.synchronize()
        usleep(50_000)
        let before = try rig.nic.processorTicks()
        usleep(250_000)
        #expect(try rig.nic.processorTicks() - before <= 2)
        try rig.guest.post(50, lengths: [1536])
        #expect(try rig.guest.receive().frame == builder.frame())
      }
    }

    @Test(
      "With the uplink full, frames wait in the transmitq; none is lost or reordered",
      arguments: DriverQueue.Layout.allCases,
      Network.Kind.allCases.flatMap { [($0, "off"), ($0, "early,always")] })
    func fullUplink(layout: DriverQueue.Layout, uplink: (kind: Network.Kind, acceleration: String)) throws {
      let shape = Rig.Shape(
        options: .init(layout: layout, size: 256), arguments: ["--vtcp", uplink.acceleration], uplink: uplink.kind,
        uplinkBuffer: 8192)
      try Rig.run(shape) { (rig) throws in
        for number in 0..<200 { try rig.guest.enqueue(Rig.frame(number, payload: 400)) }
        rig.guest.transmitQueues[0].kickIfNeeded()
        try rig.synchronize()
        for number in 0..<200 { #expect(try Rig.number(of: rig.network.receive().frame) == number) }
        try rig.guest.reclaim(200)
        #expect(try rig.network.poll() == nil)
      }
    }

    @Test("While the uplink is full the transmitq is not drained into nowhere, and the CPU is idle")
    func fullUplinkWaits() throws {
      try Rig.run(Rig.Shape(options: .init(size: 256), uplinkBuffer: 8192)) { (rig) throws in
        for number in 0..<200 { try rig.guest.enqueue(Rig.frame(number, payload: 400)) }
        rig.guest.transmitQueues[0].kickIfNeeded()
        #expect(try rig.network.poll(timeout: 5) != nil)
        usleep(50_000)
        let before = try rig.nic.processorTicks()
        usleep(200_000)
        #expect(try rig.nic.processorTicks() - before <= 2)
        #expect(try rig.guest.transmitQueues[0].collectUsed().count < 200)
        // Control messages are answered all the same, and so is the end.
        #expect(try rig.frontEnd.getFeatures() == Feature.offered)
      }
    }

    @Test(
      "GET_VRING_BASE with a full uplink returns at once, and what was not sent is sent after the restart",
      arguments: ["off", "early,always"])
    func stopWithFullUplink(acceleration: String) throws {
      let shape = Rig.Shape(options: .init(size: 256), arguments: ["--vtcp", acceleration], uplinkBuffer: 8192)
      try Rig.run(shape) { (rig) throws in
        for number in 0..<200 { try rig.guest.enqueue(Rig.frame(number, payload: 400)) }
        rig.guest.transmitQueues[0].kickIfNeeded()
        #expect(try Rig.number(of: rig.network.receive().frame) == 0)
        let base = try rig.frontEnd.getVringBase(1)
        #expect(base <= 200)
        #expect(UInt32(rig.guest.transmitQueues[0].publishedUsedIndex) == base)
        try rig.frontEnd.startVring(1, rig.guest.transmitQueues[0], base: base)
        for number in 1..<200 { #expect(try Rig.number(of: rig.network.receive().frame) == number) }
      }
    }

    @Test("An uplink whose other end is gone stops neither the program nor the guest")
    func uplinkGone() throws {
      let (ours, theirs) = try Descriptor.socketPair(Int32(SOCK_STREAM.rawValue))
      var network: Network? = try Network()
      let uplink = try #require(network?.uplink)
      let nic = try NICProcess(
        ["--fd=\(theirs.number)", "--uplink", "fd:\(uplink.number)"], inheriting: [theirs, uplink])
      defer { nic.kill() }
      let frontEnd = FrontEnd(socket: ours, ram: try GuestRAM())
      let guest = try MockGuest(frontEnd: frontEnd, features: Rig.plainFeatures, options: .init())
      try frontEnd.negotiate()
      try guest.start()
      network = nil
      for number in 0..<10 { try guest.transmit(Rig.frame(number)) }
      #expect(try frontEnd.getFeatures() == Feature.offered)
      usleep(20_000)
      let before = try nic.processorTicks()
      usleep(200_000)
      #expect(try nic.processorTicks() - before <= 2)
      try nic.end()
    }
  }
}
