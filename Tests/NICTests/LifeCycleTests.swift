// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension NICTests {
  /// Control messages against a datapath at full rate, and front-ends that take their time or their memory back.
  @Suite struct LifeCycleTests {
    enum Change: String, CaseIterable, Sendable {
      case memoryTable, memoryRegions, addresses, descriptors, enable, ring, features
    }

    @Test(
      "CVE-2026-86567, CVE-2025-38074, 73ea44370d, 21d9fb6bad, 1846fe767f: changes after every few frames lose nothing of the traffic",
      arguments: DriverQueue.Layout.allCases, Change.allCases)
    func underLoad(layout: DriverQueue.Layout, change: Change) throws {
      try Rig.run(Rig.Shape(options: .init(layout: layout, size: 256))) { (rig) throws in
        var (sent, seen) = (0, 0)
        let frontEnd = rig.frontEnd
        let queue = rig.guest.transmitQueues[0]
        let spare = GuestRAM.Region(guestAddress: 1 << 40, size: 4096, userAddress: 1 << 44, offset: 0)
        var round = 0
        // How much a change lets through depends on the machine.
        while round < 300 || sent < 1000 {
          round += 1
          try #require(round < 100_000)
          for _ in 0..<16 where queue.hasRoom(for: 1) {
            try rig.guest.enqueue(Rig.frame(sent))
            sent += 1
          }
          queue.kickIfNeeded()
          switch change {
          case .memoryTable: try frontEnd.setMemoryTable()
          case .memoryRegions:
            if round % 2 == 1 { try frontEnd.addMemoryRegion(spare) } else { try frontEnd.removeMemoryRegion(spare) }
          case .addresses: try frontEnd.setVringAddress(1, of: queue)
          case .descriptors:
            try frontEnd.setVringEvent(.setVringCall, 1, queue.call)
            try frontEnd.setVringEvent(.setVringKick, 1, queue.kick)
            try frontEnd.setVringEvent(.setVringError, 1, queue.error)
          // The receiveq: a transmitq that is disabled is drained.
          case .enable: try frontEnd.setVringEnable(0, round % 2 == 0)
          case .ring:
            let base = try frontEnd.getVringBase(1)
            try frontEnd.startVring(1, queue, base: base)
          case .features: try frontEnd.setFeatures(rig.guest.features)
          }
          while let packet = try rig.network.poll() {
            #expect(try Rig.number(of: packet.frame) == seen)
            seen += 1
          }
          try rig.guest.reclaimSome()
        }
        while seen < sent {
          #expect(try Rig.number(of: rig.network.receive().frame) == seen)
          seen += 1
        }
        if change == .enable { try frontEnd.setVringEnable(0, true) }
      }
    }

    /// Which access meets the memory that is not there any more.
    enum Use: String, CaseIterable, Sendable {
      case transmitted, received, descriptors, ring
      /// Only the kernel, which says EFAULT: what we look at is there.
      case transmittedPayload, receivedPayload
      case none
    }

    @Test(
      "A memory file that is cut short under transmit, receive or a ring ends that connection, in one line, and no more",
      arguments: DriverQueue.Layout.allCases, Use.allCases)
    func shortened(layout: DriverQueue.Layout, use: Use) throws {
      let isReceived = use == .received || use == .receivedPayload
      let way = DriverQueue.flagWrite
      let path = "/tmp/nic-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
      let network = try Network()
      let uplink = try #require(network.uplink)
      let nic = try NICProcess(["--socket-path=\(path)", "--uplink", "fd:\(uplink.number)"], inheriting: [uplink])
      defer { nic.kill() }
      for round in 1...2 {
        let frontEnd = try FrontEnd(connectingTo: path, ram: try GuestRAM())
        try frontEnd.negotiate()
        var features = Rig.plainFeatures | (layout == .packed ? Feature.packed : 0)
        if use == .receivedPayload { features |= Rig.receiveOffloads }
        let guest = try MockGuest(frontEnd: frontEnd, features: features, options: .init(layout: layout))
        try guest.start()
        try guest.transmit(Rig.frame(1))
        _ = try network.receive()
        try guest.reclaim(1)
        // Rings first, buffers last: what is cut off is the file's end.
        let end = frontEnd.ram.size
        let (buffer, queue) = (UInt64(end - 65536), guest.queue(isReceived ? 0 : 1))
        switch use {
        case .transmitted: queue.addRaw([(0x20_0000, 12, 1, 1), (buffer, 9000, 0, 0)])
        case .transmittedPayload: queue.addRaw([(0x20_0000, 12 + 256, 1, 1), (buffer, 1000, 0, 0)])
        case .received: queue.addRaw([(buffer, 65536, way, 0)])
        case .receivedPayload:
          queue.addRaw([(0x20_0000, 12 + 256, way | 1, 1), (buffer, 65536, way, 0), (buffer, 65536, way, 0)])
        case .descriptors, .ring, .none: break
        }
        #expect(
          ftruncate(frontEnd.ram.descriptor.number, off_t(use == .descriptors || use == .ring ? 0 : end / 2)) == 0)
        switch use {
        case .transmitted, .transmittedPayload, .descriptors, .ring: queue.kick.signal()
        case .received, .receivedPayload: try network.send(Rig.frame(3, payload: 1000))
        case .none:
          // Nobody touches what is gone: nothing happens.
          try guest.transmit(Rig.frame(2))
          #expect(try Rig.number(of: network.receive().frame) == 2)
          continue
        }
        if use == .ring { guest.receiveQueues[0].kick.signal() }
        #expect(frontEnd.isClosed())
        #expect(nic.errors.waitForLine(containing: "shortened"))
        nic.signal(SIGUSR1)
        #expect(nic.errors.waitForLine(containing: "shortened-memory=\(round)"))
        #expect(nic.errors.lines.count { $0.contains("has shortened a memory file") } == round)
      }
      let next = try FrontEnd(connectingTo: path, ram: try GuestRAM(size: 4 << 20))
      #expect(try next.getFeatures() == Feature.offered)
      try nic.end()
    }

    @Test("Half a message and then silence: the datapath does not wait, nor does the next front-end for ever")
    func slowFrontEnd() throws {
      try Rig.run { (rig) throws in
        let message = FrontEnd.encode(Request.setVringAddress.rawValue, payload: [UInt8](repeating: 0, count: 40))
        for count in [1, 4, 11, 12, 13, 51] {
          try rig.frontEnd.sendRaw(Array(message.prefix(count)))
          for number in 0..<200 { try rig.checkTraffic(number: number) }
          try rig.frontEnd.sendRaw(Array(message.dropFirst(count)))
          // Refused or taken, it is over, and the stream is in step.
          try rig.synchronize()
          try rig.frontEnd.setVringAddress(0, of: rig.guest.receiveQueues[0])
        }
      }
    }

    @Test("Descriptors that the process has no room for end the connection, in one line; the next one is served")
    func lostDescriptors() throws {
      let path = "/tmp/nic-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
      let nic = try NICProcess(["--socket-path=\(path)", "--uplink", "null"])
      defer { nic.kill() }
      let ram = try GuestRAM(size: 4 << 20)
      let frontEnd = try FrontEnd(connectingTo: path, ram: ram)
      _ = try frontEnd.getFeatures()
      // Two more fit, where eight come: the kernel drops the rest (MSG_CTRUNC).
      try nic.limitDescriptors(nic.openDescriptors() + 2)
      try frontEnd.send(3, descriptors: [Int32](repeating: ram.descriptor.number, count: 8))
      #expect(frontEnd.isClosed())
      #expect(nic.errors.waitForLine(containing: "file descriptors were lost on the way"))
      let next = try FrontEnd(connectingTo: path, ram: ram)
      #expect(try next.getFeatures() == Feature.offered)
      try nic.end()
    }

    @Test("Cross-VM denial of service: while one guest breaks its NIC in every way, another one loses nothing")
    func otherNICs() throws {
      try Rig.run(Rig.Shape(options: .init(size: 64))) { (victim) throws in
        for round in 0..<4 {
          let hostile = try Rig(Rig.Shape(options: .init(size: 64)))
          try hostile.guest.start()
          let queue = hostile.guest.transmitQueues[0]
          let flipper = Flipper(hostile.frontEnd.ram)
          flipper.scramble([queue.descriptorArea..<queue.descriptorArea + 1024], seed: UInt64(round))
          defer { flipper.stop() }
          for number in 0..<250 {
            queue.setAvailableIndex(UInt16(number))
            queue.kick.signal()
            try victim.checkTraffic(number: number)
            if number == 200 {
              switch round {
              case 0: hostile.nic.kill()
              case 1: try hostile.frontEnd.sendRaw([UInt8](repeating: 0xff, count: 64))
              case 2: queue.setAvailableIndex(0x7777)
              default: hostile.nic.signal(SIGSTOP)
              }
            }
          }
          flipper.stop()
          hostile.nic.kill()
        }
      }
    }
  }
}
