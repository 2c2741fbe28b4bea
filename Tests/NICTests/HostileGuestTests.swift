// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension NICTests {
  /// A hostile guest harms its own queue at most, and a reset of that queue brings it back.
  @Suite struct HostileGuestTests {
    private static func shape(_ layout: DriverQueue.Layout) -> Rig.Shape {
      Rig.Shape(features: Rig.plainFeatures | Feature.indirect, options: .init(layout: layout, size: 16), pairs: 2)
    }

    @Test(
      "Whatever a chain says, the NIC lives, and the chain comes back or the queue stops with an error signal",
      arguments: DriverQueue.Layout.allCases, HostileChain.all)
    func chain(layout: DriverQueue.Layout, hostile: HostileChain) throws {
      try Rig.run(Self.shape(layout)) { (rig) throws in
        let good = try rig.frontEnd.ram.allocate(1 << 17, alignment: 4096)
        let index = hostile.direction == .transmit ? 1 : 0
        let queue = rig.guest.queue(index)
        queue.addRaw(hostile.descriptors(good, rig.frontEnd.ram))
        queue.kick.signal()
        if hostile.direction == .receive { try rig.provoke() }
        try rig.synchronize()
        let deadline = Deadline(after: hostile.direction == .transmit ? 2 : 0.05)
        var isAnswered = false
        while !isAnswered, !deadline.hasPassed {
          isAnswered = !queue.rawUsed().isEmpty || queue.error.take() > 0
        }
        // A sound receive buffer that is merely small may wait for a frame that fits.
        if hostile.direction == .transmit { #expect(isAnswered, "neither used nor an error") }
        for used in queue.rawUsed() where hostile.direction == .transmit { #expect(used.length == 0) }
        try rig.expectRecovery()
      }
    }

    @Test(
      "An available index that jumps ahead by more than the ring breaks the queue, with an error signal",
      arguments: [17, 18, 32767, 32768, 65535] as [UInt16], [0, 1])
    func indexJump(jump: UInt16, index: Int) throws {
      try Rig.run(Self.shape(.split)) { (rig) throws in
        rig.guest.queue(index).setAvailableIndex(jump)
        rig.guest.queue(index).kick.signal()
        if index == 0 { try rig.provoke() }
        #expect(rig.guest.queue(index).error.wait(2) > 0)
        try rig.expectRecovery()
      }
    }

    @Test("A receiveq that its driver broke does not keep frames from the other pair", arguments: [0, 1])
    func otherPairReceives(broken: Int) throws {
      try Rig.run(Rig.Shape(options: .init(size: 64), pairs: 2)) { (rig) throws in
        let other = 1 - broken
        try rig.guest.post(60, lengths: [2048], pair: other)
        let queue = rig.guest.receiveQueues[broken]
        queue.setAvailableIndex(1000)
        queue.kick.signal()
        for flow in 0..<16 {
          var builder = FrameBuilder(.v4, .udp, payload: [UInt8](repeating: 0, count: 64))
          builder.sourcePort = UInt16(50000 + flow)
          try rig.network.send(builder.frame())
        }
        #expect(queue.error.wait(2) > 0)
        // The front-end stops and starts the transmitq beside it meanwhile.
        let transmit = UInt32(2 * broken + 1)
        let base = try rig.frontEnd.getVringBase(transmit)
        try rig.frontEnd.startVring(transmit, rig.guest.transmitQueues[broken], base: base)
        for number in 0..<16 {
          var builder = FrameBuilder(.v4, .udp, payload: FrontEnd.octets(UInt32(2000 + number)) + [0, 0])
          builder.sourcePort = UInt16(50000 + number)
          try rig.network.send(builder.frame())
        }
        var last = 0
        while last != 2015 { last = try Rig.number(of: rig.guest.receive(pair: other, timeout: 2).frame) }
      }
    }

    @Test(
      "A head outside of the ring breaks the queue, with an error signal",
      arguments: [16, 17, 0x7fff, 0xffff] as [UInt16], [0, 1])
    func badHead(head: UInt16, index: Int) throws {
      try Rig.run(Self.shape(.split)) { (rig) throws in
        rig.guest.queue(index).makeAvailable(head: head)
        rig.guest.queue(index).kick.signal()
        if index == 0 { try rig.provoke() }
        #expect(rig.guest.queue(index).error.wait(2) > 0)
        try rig.expectRecovery()
      }
    }

    @Test(
      "CVE-2024-11614, CVE-2026-100236, 7023f3e532: header fields of any value lose the frame at most",
      arguments: FrameBuilder.Internet.allCases, FrameBuilder.Transport.allCases)
    func headers(internet: FrameBuilder.Internet, transport: FrameBuilder.Transport) throws {
      var shape = Self.shape(.split)
      shape.options.size = 256
      shape.features |= Feature.csum | Feature.hostTSO4 | Feature.hostTSO6 | Feature.hostUSO | Feature.hostECN
      try Rig.run(shape) { (rig) throws in
        var builder = FrameBuilder(internet, transport, payload: FrameBuilder.pattern(3000))
        builder.checksum = .partial
        let numbers: [UInt16] = [0, 1, 13, 14, 33, 34, 53, 54, 66, 67, 3000, 3065, 3066, 3067, 0x7fff, 0xffff]
        var headers: [NetworkHeader] = []
        for number in numbers {
          for field in 0..<4 {
            for type in [0, 1, 3, 4, 5, 0x81, 0xff] as [UInt8] {
              var header = builder.header(gsoSize: 1000)
              header.gsoType = type
              switch field {
              case 0: header.gsoSize = number
              case 1: header.headerLength = number
              case 2: header.checksumStart = number
              default: header.checksumOffset = number
              }
              headers.append(header)
            }
          }
        }
        try send(headers.map { ($0, builder.frame()) }, rig)
        try rig.expectRecovery()
      }
    }

    @Test("CVE-2026-100236: frames whose own headers lie lose the frame at most")
    func lyingFrames() throws {
      var shape = Self.shape(.split)
      shape.features |= Feature.csum | Feature.hostTSO4 | Feature.hostTSO6 | Feature.hostUSO
      try Rig.run(shape) { (rig) throws in
        var packets: [(NetworkHeader, [UInt8])] = []
        for (internet, transport) in [(.v4, .tcp), (.v6, .tcp), (.v4, .udp), (.v6, .udp)]
          as [(FrameBuilder.Internet, FrameBuilder.Transport)]
        {
          var builder = FrameBuilder(internet, transport, payload: FrameBuilder.pattern(3000))
          builder.checksum = .partial
          let frame = builder.frame()
          for place in 12..<builder.headerLength {
            for value in [0, 0xff] as [UInt8] {
              var broken = frame
              broken[place] = value
              packets.append((builder.header(gsoSize: 1000), broken))
            }
          }
          for count in stride(from: 0, to: builder.headerLength + 4, by: 3) {
            packets.append((builder.header(gsoSize: 1000), Array(frame.prefix(count))))
          }
        }
        try send(packets, rig)
        try rig.expectRecovery()
      }
    }

    /// Sends each, reading the network's end as we go, and sees every buffer come back.
    private func send(_ packets: [(NetworkHeader, [UInt8])], _ rig: Rig) throws {
      for (header, frame) in packets {
        try rig.guest.transmit(frame, header: header)
        try rig.guest.reclaim(1)
        while try rig.network.poll() != nil {}
      }
    }

    @Test(
      "CVE-2020-14375, CVE-2026-93683, CVE-2026-86848: descriptors and headers that change while they are read",
      arguments: DriverQueue.Layout.allCases)
    func flipping(layout: DriverQueue.Layout) throws {
      var shape = Self.shape(layout)
      shape.features |= Feature.csum | Feature.hostTSO4
      try Rig.run(shape) { (rig) throws in
        let ram = rig.frontEnd.ram
        let good = try ram.allocate(1 << 16, alignment: 4096)
        let queue = rig.guest.transmitQueues[0]
        let flipper = Flipper(ram)
        var builder = FrameBuilder(.v4, .tcp, payload: FrameBuilder.pattern(3000))
        builder.checksum = .partial
        let octets = builder.header(gsoSize: 1000).octets(12) + builder.frame()
        ram.write(octets, at: good + 4096)
        let slot = queue.descriptorArea
        flipper.flip([
          (good, good + 4096, 0xffff_ffff_ffff_0000), (good + 8, UInt64(octets.count) | 0 << 32, 0xffff_ffff),
          (good + 4096 + 2, 0x0000_0000_0042_03e8, 0xffff_ffff_ffff_ffff),
          (slot + 8 * 1, 32 | 4 << 32, 0xffff_fff0 | 4 << 32),
        ])
        defer { flipper.stop() }
        let deadline = Deadline(after: 0.4)
        while !deadline.hasPassed, queue.error.take() == 0 {
          queue.addRaw([(good, 16, DriverQueue.flagIndirect, 0)])
          queue.kick.signal()
          let moment = Deadline(after: 0.01)
          while queue.rawUsed().isEmpty, !moment.hasPassed { while try rig.network.poll() != nil {} }
          queue.skipRawUsed()
        }
        flipper.stop()
        try rig.expectRecovery()
      }
    }

    @Test(
      "Rings filled with random octets, over and over, break queues and nothing else",
      arguments: DriverQueue.Layout.allCases, 0..<6)
    func noise(layout: DriverQueue.Layout, seed: UInt64) throws {
      try Rig.run(Self.shape(layout)) { (rig) throws in
        var random = SplitMix(state: seed)
        let ram = rig.frontEnd.ram
        for _ in 0..<40 {
          for index in 0..<2 {
            let queue = rig.guest.queue(index)
            for slot in 0..<16 as Range<UInt64> {
              // Addresses within memory most of the time, so that the walk goes on.
              ram.store(random.next() % (UInt64(ram.size) + 4096), at: queue.descriptorArea + 16 * slot)
              ram.store(UInt32(truncatingIfNeeded: random.next() % 5000), at: queue.descriptorArea + 16 * slot + 8)
              ram.store(
                UInt32(truncatingIfNeeded: random.next() & 0x8087_000f_8087_000f),
                at: queue.descriptorArea + 16 * slot + 12)
            }
            if layout == .split {
              for slot in 0..<16 as Range<UInt64> {
                ram.store(UInt16(random.next() % 17), at: queue.driverArea + 4 + 2 * slot)
              }
              queue.setAvailableIndex(queue.publishedUsedIndex &+ UInt16(random.next() % 17))
            }
            queue.kick.signal()
          }
          try rig.provoke(flows: 4)
          try rig.synchronize()
          while try rig.network.poll() != nil {}
        }
        try rig.expectRecovery()
      }
    }
  }
}
