// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension NICTests {
  /// What becomes of a queue that its driver broke: it stops alone, it is told once, a driver reset brings it back.
  @Suite struct BrokenQueueTests {
    enum Reset: String, CaseIterable, Sendable {
      /// GET_VRING_BASE for each, SET_STATUS 0, RESET_DEVICE, and everything again.
      case qemu10
      /// GET_VRING_BASE for each, and everything again.
      case qemu7
      /// Only the broken ring is stopped and set up anew.
      case ringOnly
    }

    /// Breaks the ring: an index that jumps (split), a chain without end (packed).
    private func breakRing(_ queue: DriverQueue) {
      if queue.options.layout == .split {
        queue.setAvailableIndex(queue.publishedUsedIndex &+ queue.options.size &+ 1)
      } else {
        queue.addRaw((0..<Int(queue.options.size)).map { _ in (0x10_0000, 64, DriverQueue.flagNext, 0) })
      }
      queue.kick.signal()
    }

    private func reset(_ rig: Rig, _ kind: Reset, broken: Int) throws {
      let indices = kind == .ringOnly ? UInt32(broken)..<UInt32(broken + 1) : 0..<UInt32(2 * rig.guest.pairs)
      for index in indices { _ = try rig.frontEnd.getVringBase(index) }
      if kind == .qemu10 {
        try rig.frontEnd.setStatus(0)
        try rig.frontEnd.resetDevice()
      }
      guard kind == .ringOnly else {
        for pair in 0..<rig.guest.pairs { rig.guest.forget(pair: pair) }
        return try rig.guest.start()
      }
      rig.guest.queue(broken).reset()
      try rig.frontEnd.startVring(UInt32(broken), rig.guest.queue(broken))
      try rig.frontEnd.enable(UInt32(broken)..<UInt32(broken + 1))
    }

    @Test(
      "A broken queue stops alone, signals its error descriptor once, says so in one line, and comes back by a reset",
      arguments: DriverQueue.Layout.allCases, [0, 1])
    func oneQueue(layout: DriverQueue.Layout, broken: Int) throws {
      for kind in Reset.allCases {
        let shape = Rig.Shape(options: .init(layout: layout, size: 16), pairs: 2)
        try Rig.run(shape) { (rig) throws in
          for round in 1...2 {
            let queue = rig.guest.queue(broken)
            #expect(try rig.frontEnd.getStatus() == 0xf)
            breakRing(queue)
            if broken == 0 { try rig.provoke() }
            let signals = queue.error.wait()
            #expect(signals == 1)
            // DEVICE_NEEDS_RESET is seen, and is not the front-end's to write.
            #expect(try rig.frontEnd.getStatus() == 0x4f)
            try rig.frontEnd.setStatus(0x4f)
            for _ in 0..<100 { queue.kick.signal() }
            if broken == 0 { try rig.provoke() }
            for number in 1100..<1120 {
              try rig.guest.transmit(Rig.frame(number), pair: 1)
              #expect(try rig.nextNumbered() == number)
              try rig.guest.reclaim(1, pair: 1)
            }
            #expect(queue.error.take() == 0)
            #expect(try rig.counter("faults", of: "queue \(broken) \(broken == 0 ? "receive" : "transmit")") == round)
            #expect(rig.lines(with: "queue \(broken) stopped: its driver broke the ring") == round)
            try reset(rig, kind, broken: broken)
            #expect(try rig.frontEnd.getStatus() == 0xf)
            try rig.guest.transmit(Rig.frame(1200))
            #expect(try rig.nextNumbered() == 1200)
            try rig.guest.reclaim(1)
          }
          try rig.expectRecovery()
        }
      }
    }

    @Test("An error descriptor that is set after the queue broke is signalled too")
    func lateErrorDescriptor() throws {
      try Rig.run { (rig) throws in
        let queue = rig.guest.transmitQueues[0]
        breakRing(queue)
        #expect(queue.error.wait() == 1)
        let late = try Event()
        try rig.frontEnd.setVringEvent(.setVringError, 1, late)
        #expect(late.wait() == 1)
      }
    }

    @Test("A driver that breaks its queue over and over fills no log", arguments: DriverQueue.Layout.allCases)
    func manyTimes(layout: DriverQueue.Layout) throws {
      try Rig.run(Rig.Shape(options: .init(layout: layout, size: 16))) { (rig) throws in
        let start = Deadline.now()
        for _ in 0..<1000 {
          let queue = rig.guest.transmitQueues[0]
          breakRing(queue)
          #expect(queue.error.wait() == 1)
          try reset(rig, .ringOnly, broken: 1)
        }
        let seconds = Int((Deadline.now() - start) / 1_000_000_000)
        #expect(try rig.counter("faults", of: "queue 1 transmit") == 1000)
        #expect(rig.nic.errors.lines.count <= 120 + seconds)
        try rig.checkTraffic()
      }
    }
  }
}
