// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension NICTests {
  /// A guest on another CPU gives work without end: everything else still gets its turn.
  @Suite struct LivelockTests {
    /// What the driver posts faster than the device can give it back.
    enum Work: String, CaseIterable, Sendable {
      case uselessReceiveBuffers, unsoundReceiveBuffers, unsoundFrames, drainedFrames, kicks
    }

    @Test(
      "CVE-2026-74356: work without end on one queue holds up neither messages nor other queues",
      arguments: Work.allCases)
    func endless(work: Work) throws {
      try Rig.run(Rig.Shape(options: .init(size: 256, eventIndex: true), pairs: 2)) { (rig) throws in
        let index = work == .uselessReceiveBuffers || work == .unsoundReceiveBuffers ? 0 : 1
        let queue = rig.guest.queue(index)
        let good = try rig.frontEnd.ram.allocate(4096)
        let isUnsound = work == .unsoundReceiveBuffers || work == .unsoundFrames
        let flags: UInt16 = index == 0 ? DriverQueue.flagWrite : 0
        for slot in 0..<256 as Range<UInt16> {
          let address = isUnsound ? 0xffff_0000_0000 : good
          queue.writeSplitDescriptor(slot, address: address, length: index == 0 ? 1 : 90, flags: flags, next: 0)
          rig.frontEnd.ram.store(slot, at: queue.driverArea + 4 + 2 * UInt64(slot))
        }
        if work == .drainedFrames { try rig.frontEnd.setVringEnable(1, false) }
        let flipper = Flipper(rig.frontEnd.ram)
        defer { flipper.stop() }
        // How far the device has come: what it gave back, or, since that is shown late, where it asks for a kick.
        let progress = index == 0 ? queue.deviceArea + 4 + 8 * 256 : queue.deviceArea + 2
        let (available, kick, posts) = (queue.driverArea + 2, queue.kick, work != .kicks)
        flipper.loop { ram in
          for _ in 0..<4096 where posts { ram.storeRelease(ram.loadAcquire(at: progress) &+ 256, at: available) }
          kick.signal()
        }
        if index == 0 { try provoke(rig) }
        // The datapath has met it by now; each of these waits for a turn's end.
        for number in 1100..<1400 {
          try rig.synchronize()
          try rig.guest.transmit(Rig.frame(number), pair: 1)
          while try rig.nextNumbered() != number {}
          try rig.guest.reclaim(1, pair: 1)
        }
        flipper.stop()
        #expect(rig.nic.isRunning)
      }
    }

    @Test(
      "CVE-2026-74356: a ring whose used index is its available index never runs empty, and holds up nothing",
      arguments: [Work.unsoundFrames, .drainedFrames])
    func overlap(work: Work) throws {
      try Rig.run(Rig.Shape(options: .init(size: 64), pairs: 2)) { (rig) throws in
        let (ram, queue) = (rig.frontEnd.ram, rig.guest.transmitQueues[0])
        _ = try rig.frontEnd.getVringBase(1)
        let both = try ram.allocate(4096, alignment: 4096)
        let data = try ram.allocate(4096)
        for slot in 0..<64 as Range<UInt16> {
          let address = work == .unsoundFrames ? 0xffff_0000_0000 : data
          queue.writeSplitDescriptor(slot, address: address, length: 90, flags: 0, next: 0)
        }
        // What is used makes as much available: 32 chains wait for ever.
        ram.store(UInt16(32), at: both + 2)
        try rig.frontEnd.setVringNumber(1, 64)
        try rig.frontEnd.setVringBase(1, 0)
        let rings = ram.userAddress(of: both)
        let payload = FrontEnd.vringAddress(
          1, descriptors: ram.userAddress(of: queue.descriptorArea), used: rings, available: rings)
        try rig.frontEnd.send(Request.setVringAddress.rawValue, payload: payload)
        try rig.frontEnd.setVringEvent(.setVringKick, 1, queue.kick)
        try rig.frontEnd.enable(0..<4)
        if work == .drainedFrames { try rig.frontEnd.setVringEnable(1, false) }
        for number in 1100..<1200 {
          try rig.synchronize()
          try rig.guest.transmit(Rig.frame(number), pair: 1)
          while try rig.nextNumbered() != number {}
          try rig.guest.reclaim(1, pair: 1)
        }
        try rig.expectRecovery()
      }
    }

    /// Frames for the receiveq that gets useless buffers.
    private func provoke(_ rig: Rig) throws {
      for pair in 1..<2 { try rig.guest.post(200, lengths: [2048], pair: pair) }
      for flow in 0..<12 {
        var builder = FrameBuilder(.v4, .udp, payload: [UInt8](repeating: 0, count: 64))
        builder.sourcePort = UInt16(50000 + flow)
        try rig.network.send(builder.frame())
      }
    }
  }
}
