// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension NICTests {
  @Suite struct NotificationTests {
    static let shapes: [DriverQueue.Options] = DriverQueue.Layout.allCases.flatMap { layout in
      [false, true].map { DriverQueue.Options(layout: layout, size: 64, eventIndex: $0) }
    }

    @Test("A driver that wants no interrupts gets none", arguments: shapes)
    func none(options: DriverQueue.Options) throws {
      try Rig.run(Rig.Shape(options: options)) { (rig) throws in
        let queue = rig.guest.transmitQueues[0]
        queue.setInterrupts(.never)
        for number in 0..<40 {
          try rig.guest.transmit(Rig.frame(number))
          _ = try rig.network.receive()
        }
        try rig.synchronize()
        #expect(queue.call.take() == 0)
        rig.guest.receiveQueues[0].setInterrupts(.never)
        try rig.guest.post(40, lengths: [2048])
        for number in 0..<40 { try rig.network.send(Rig.frame(number)) }
        let deadline = Deadline(after: 5)
        var count = 0
        while count < 40, !deadline.hasPassed { count += try rig.guest.poll() == nil ? 0 : 1 }
        #expect(count == 40)
        try rig.synchronize()
        #expect(rig.guest.receiveQueues[0].call.take() == 0)
      }
    }

    @Test(
      "With NOTIFY_ON_EMPTY a driver that wants no interrupts gets one when the ring has run empty", arguments: [0, 1])
    func onEmpty(index: Int) throws {
      let shape = Rig.Shape(features: Rig.plainFeatures | Feature.notifyOnEmpty, options: .init(size: 64))
      try Rig.run(shape) { (rig) throws in
        let queue = rig.guest.queue(index)
        queue.setInterrupts(.never)
        if index == 1 {
          try rig.guest.transmit(Rig.frame(1))
          #expect(queue.call.wait() > 0)
          return
        }
        // A receive buffer is left: no interrupt. With the last one it comes.
        try rig.guest.post(2, lengths: [2048])
        try rig.network.send(Rig.frame(1))
        let deadline = Deadline(after: 5)
        while queue.publishedUsedIndex == 0, !deadline.hasPassed {}
        try rig.synchronize()
        // The receive path takes buffers ahead; what counts is what the driver made available and we did not take.
        queue.call.take()
        try rig.network.send(Rig.frame(2))
        #expect(queue.call.wait() > 0)
      }
    }

    @Test(
      "With the event index the interrupt comes at the buffer that was asked for, once",
      arguments: DriverQueue.Layout.allCases)
    func atEvent(layout: DriverQueue.Layout) throws {
      try Rig.run(Rig.Shape(options: .init(layout: layout, size: 64, eventIndex: true))) { (rig) throws in
        let queue = rig.guest.transmitQueues[0]
        for round in 0..<20 {
          queue.setInterrupts(.after(5))
          for number in 0..<4 {
            try rig.guest.transmit(Rig.frame(number))
            _ = try rig.network.receive()
          }
          try rig.synchronize()
          #expect(queue.call.take() == 0, "round \(round)")
          try rig.guest.transmit(Rig.frame(4))
          _ = try rig.network.receive()
          #expect(queue.call.wait() == 1, "round \(round)")
          #expect(try queue.collectUsed().count == 5)
        }
      }
    }

    @Test("A batch costs few interrupts", arguments: shapes)
    func batches(options: DriverQueue.Options) throws {
      try Rig.run(Rig.Shape(options: options)) { (rig) throws in
        let queue = rig.guest.transmitQueues[0]
        queue.setInterrupts(.always)
        // Made available while the ring is stopped, so that the NIC finds them all at once.
        let base = try rig.frontEnd.getVringBase(1)
        for number in 0..<32 { try rig.guest.enqueue(Rig.frame(number)) }
        try rig.frontEnd.startVring(1, queue, base: base)
        for _ in 0..<32 { _ = try rig.network.receive() }
        try rig.synchronize()
        let interrupts = queue.call.take()
        #expect(interrupts >= 1 && interrupts <= 8, "\(interrupts)")
      }
    }

    @Test("No kick is lost: a frame made available at any moment goes out", arguments: shapes)
    func lostKick(options: DriverQueue.Options) throws {
      try Rig.run(Rig.Shape(options: options)) { (rig) throws in
        for number in 0..<2000 {
          try rig.guest.transmit(Rig.frame(number))
          // Waits of different lengths, so that frames come while the program falls asleep.
          if number % 3 != 0 { _ = try rig.network.receive() }
          if number % 3 == 2 { _ = try rig.network.receive() }
          if number % 16 == 15 { try rig.guest.reclaim(16) }
        }
      }
    }

    @Test("A device that is busy asks for no kicks", arguments: shapes)
    func kicks(options: DriverQueue.Options) throws {
      try Rig.run(Rig.Shape(options: options, uplinkBuffer: 4096)) { (rig) throws in
        // The uplink is full and the device knows that there is more: kicks tell it nothing.
        for number in 0..<60 { try rig.guest.transmit(Rig.frame(number, payload: 1000)) }
        #expect(rig.guest.transmitQueues[0].kicksSent <= 60)
        for number in 0..<60 { #expect(try Rig.number(of: rig.network.receive().frame) == number) }
        try rig.guest.reclaim(60)
      }
    }

    @Test("A vring without a kick descriptor is polled")
    func polled() throws {
      try Rig.run { (rig) throws in
        let base = try rig.frontEnd.getVringBase(1)
        try rig.frontEnd.setVringBase(1, base)
        try rig.frontEnd.setVringEvent(.setVringKick, 1, nil)
        try rig.synchronize()
        try rig.guest.enqueue(Rig.frame(1))
        #expect(try Rig.number(of: rig.network.receive().frame) == 1)
      }
    }

    @Test("A kick descriptor that replaces another is the one that counts")
    func kickReplaced() throws {
      try Rig.run { (rig) throws in
        let fresh = try Event()
        try rig.frontEnd.setVringEvent(.setVringKick, 1, fresh)
        try rig.synchronize()
        // Asleep, and only the new descriptor can wake it.
        usleep(20_000)
        try rig.guest.enqueue(Rig.frame(1))
        fresh.signal()
        #expect(try Rig.number(of: rig.network.receive().frame) == 1)
      }
    }

    @Test("A vring without a call descriptor is served; a call descriptor that comes later is used")
    func callLater() throws {
      try Rig.run { (rig) throws in
        let queue = rig.guest.transmitQueues[0]
        try rig.frontEnd.setVringEvent(.setVringCall, 1, nil)
        try rig.guest.transmit(Rig.frame(1))
        #expect(try Rig.number(of: rig.network.receive().frame) == 1)
        try rig.frontEnd.setVringEvent(.setVringCall, 1, queue.call)
        try rig.synchronize()
        queue.call.take()
        try rig.guest.transmit(Rig.frame(2))
        #expect(queue.call.wait() > 0)
      }
    }

    @Test("What was made available before the ring starts is sent without a kick")
    func availableBefore() throws {
      try Rig.runNegotiated { (rig) throws in
        try rig.guest.enqueue(Rig.frame(1))
        try rig.guest.start(bases: [0, 0])
        #expect(try Rig.number(of: rig.network.receive().frame) == 1)
      }
    }

    @Test(
      "A ring that is enabled only after it was started keeps what was available (a restart below Cloud Hypervisor)")
    func enabledLate() throws {
      try Rig.runNegotiated { (rig) throws in
        try rig.guest.enqueue(Rig.frame(1))
        try rig.frontEnd.prepare(features: rig.guest.features)
        for index in 0..<2 { try rig.frontEnd.startVring(UInt32(index), rig.guest.queue(index), base: 0) }
        // Long enough for the NIC to look at the ring.
        usleep(20_000)
        try rig.frontEnd.enable(0..<2)
        #expect(try Rig.number(of: rig.network.receive(timeout: 1).frame) == 1)
      }
    }

    @Test("An idle NIC sleeps: no thread wakes up in 300 ms", arguments: [1, 4])
    func idle(pairs: Int) throws {
      try Rig.run(Rig.Shape(pairs: pairs)) { (rig) throws in
        try rig.guest.post(16, lengths: [2048])
        for number in 0..<20 {
          try rig.guest.transmit(Rig.frame(number))
          _ = try rig.network.receive()
        }
        try rig.synchronize()
        usleep(100_000)
        let before = try rig.nic.voluntaryContextSwitches()
        usleep(300_000)
        #expect(try rig.nic.voluntaryContextSwitches() == before)
      }
    }
  }
}
