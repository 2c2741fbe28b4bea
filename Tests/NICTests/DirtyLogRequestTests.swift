// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension NICTests {
  /// The requests of the dirty log as a front-end should not make them, and what a stopped device leaves alone.
  @Suite struct DirtyLogRequestTests {
    /// (what, size, offset) of a bitmap in a file of two pages.
    static let impossible: [(String, UInt64, UInt64)] = [
      ("no size", 0, 0), ("CVE-2020-10722 size + offset wraps", 0x2000, 0 &- 0x1000),
      ("size + offset wraps to 0", 0x1000, 0 &- 0x1000), ("size 2^64-1", .max, 0), ("larger than its file", 0x2001, 0),
      ("beyond its file", 1, 0x2000), ("more than can be mapped", 1 << 62, 1 << 62),
    ]

    @Test("A bitmap that cannot be is refused, with the reply that is due, and the one before stays in use")
    func refused() throws {
      try Rig.run { (rig) throws in
        let bitmap = try DirtyBitmap(covering: rig.frontEnd.ram.size)
        try rig.frontEnd.setLogging(of: rig.guest, true, bitmap: bitmap)
        let file = try Descriptor.memory("log", size: 0x2000)
        let pipe = try Descriptor.pipe()
        for flags in [FrontEnd.version, FrontEnd.version | FrontEnd.needReply] {
          for (what, size, offset) in Self.impossible {
            let answer = try rig.frontEnd.setLogBase(
              size: size, offset: offset, descriptors: [file.number], flags: flags)
            #expect(answer != 0, "\(what)")
          }
          // A file that can't be mapped, and none.
          for descriptors in [[pipe.1.number], []] {
            #expect(try rig.frontEnd.setLogBase(size: 1, offset: 0, descriptors: descriptors, flags: flags) != 0)
          }
        }
        // A payload of another form; the reply comes all the same.
        try rig.frontEnd.send(
          Request.setLogBase.rawValue, payload: FrontEnd.octets(UInt64(4096)), descriptors: [file.number])
        #expect(try rig.frontEnd.answer(to: .setLogBase).number != 0)
        #expect(bitmap.pages.isEmpty || rig.guest.receiveQueues[0].outstandingCount == 0)
        try rig.checkTraffic()
        #expect(!bitmap.pages.isEmpty)
      }
    }

    @Test("A bitmap that is too small for the guest is never left, and the log says so", arguments: [1, 8, 32])
    func tooSmall(bytes: Int) throws {
      try Rig.run { (rig) throws in
        let bitmap = try DirtyBitmap(covering: bytes * 8 * DirtyBitmap.pageSize, offset: 8, behind: 1 << 16)
        try rig.frontEnd.setLogging(of: rig.guest, true, bitmap: bitmap)
        for number in 0..<20 { try rig.checkTraffic(number: number) }
        #expect(bitmap.isCleanOutside)
        #expect(rig.nic.errors.waitForLine(containing: "does not cover the guest's memory"))
      }
    }

    @Test(
      "The used ring is marked where SET_VRING_ADDR says, be it outside of memory",
      arguments: DriverQueue.Layout.allCases)
    func usedElsewhere(layout: DriverQueue.Layout) throws {
      try Rig.run(Rig.Shape(options: .init(layout: layout))) { (rig) throws in
        let ram = rig.frontEnd.ram
        let bitmap = try DirtyBitmap(covering: 4 * ram.size)
        try rig.frontEnd.setLogBase(bitmap)
        // VHOST_F_LOG_ALL is about buffers; the used ring has a flag of its own.
        let elsewhere = UInt64(3 * ram.size)
        try rig.frontEnd.setVringLogging(1, of: rig.guest.transmitQueues[0], true, log: elsewhere)
        try rig.checkTraffic()
        let descriptors = DirtyBitmap.pages(at: rig.guest.transmitQueues[0].descriptorArea, count: 16)
        let expected = DirtyBitmap.pages(at: elsewhere, count: 8)
        try rig.synchronize()
        #expect(bitmap.pages == (layout == .split ? expected : expected.union(descriptors)))
      }
    }

    @Test(
      "A used ring that the bitmap does not hold, or whose address wraps, is written all the same, the log is not left")
    func usedBeyond() throws {
      try Rig.run { (rig) throws in
        let ram = rig.frontEnd.ram
        let bitmap = try DirtyBitmap(covering: ram.size, behind: 1 << 16)
        try rig.frontEnd.setLogging(of: rig.guest, true, bitmap: bitmap)
        for (number, place) in [UInt64(ram.size), 1 << 40, .max, .max - 4095, 0 &- 0x1_0000].enumerated() {
          for index in 0..<2 {
            try rig.frontEnd.setVringLogging(UInt32(index), of: rig.guest.queue(index), true, log: place)
          }
          try rig.checkTraffic(number: number)
        }
        #expect(bitmap.isCleanOutside)
      }
    }

    @Test("A bitmap's file that is shortened while it is in use ends the connection, not the program")
    func shortened() throws {
      let path = "/tmp/nic-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
      let nic = try NICProcess(["--socket-path=\(path)", "--uplink", "null"])
      defer { nic.kill() }
      let frontEnd = try FrontEnd(connectingTo: path, ram: try GuestRAM())
      try frontEnd.negotiate()
      let guest = try MockGuest(frontEnd: frontEnd, features: Rig.plainFeatures, options: .init())
      try guest.start()
      let bitmap = try DirtyBitmap(covering: frontEnd.ram.size)
      try frontEnd.setLogging(of: guest, true, bitmap: bitmap)
      #expect(ftruncate(bitmap.descriptor.number, 0) == 0)
      try guest.transmit(Rig.frame(1))
      #expect(frontEnd.isClosed(timeout: 2))
      let next = try FrontEnd(connectingTo: path, ram: try GuestRAM(size: 4 << 20))
      #expect(try next.getFeatures() == Feature.offered)
      try nic.end()
    }

    @Test("The descriptor of SET_LOG_FD is signalled when something was marked")
    func logCall() throws {
      try Rig.run { (rig) throws in
        let event = try Event()
        try rig.frontEnd.acknowledged(.setLogDescriptor, descriptors: [event.number])
        try rig.checkTraffic()
        try rig.synchronize()
        #expect(event.take() == 0)
        let bitmap = try DirtyBitmap(covering: rig.frontEnd.ram.size)
        try rig.frontEnd.setLogging(of: rig.guest, true, bitmap: bitmap)
        try rig.checkTraffic()
        #expect(event.descriptor.wait(for: 1, until: Deadline(after: 5)))
      }
    }

    @Test("LOG_ALL is switched while rings run; any other feature is not")
    func onlyLogAll() throws {
      try Rig.run { (rig) throws in
        let features = rig.guest.features
        for wanted in [features | Feature.logAll, features, features | Feature.logAll] {
          #expect(try rig.frontEnd.acknowledgement(.setFeatures, payload: FrontEnd.octets(wanted)) == 0)
        }
        let other = FrontEnd.octets(features | Feature.logAll | Feature.eventIndex)
        #expect(try rig.frontEnd.acknowledgement(.setFeatures, payload: other) != 0)
        try rig.checkTraffic()
      }
    }

    @Test(
      "A device whose rings are all stopped writes nothing and interrupts nobody, whatever arrives",
      arguments: DriverQueue.Layout.allCases, [false, true])
    func suspended(layout: DriverQueue.Layout, isEnabled: Bool) throws {
      try Rig.run(Rig.Shape(options: .init(layout: layout))) { (rig) throws in
        let guest = rig.guest
        try guest.post(100, lengths: [2048])
        for number in 0..<20 {
          try rig.network.send(Rig.frame(number))
          try guest.transmit(Rig.frame(number))
        }
        for index in 0..<2 as Range<UInt32> { _ = try rig.frontEnd.getVringBase(index) }
        if !isEnabled { for index in 0..<2 as Range<UInt32> { try rig.frontEnd.setVringEnable(index, false) } }
        rig.frontEnd.ram.watch()
        for index in 0..<2 { guest.queue(index).call.take() }
        for number in 0..<20 {
          _ = rig.network.trySend(Rig.frame(number))
          if guest.transmitQueues[0].hasRoom(for: 1) { try guest.enqueue(Rig.frame(number)) }
          for index in 0..<2 { guest.queue(index).kick.signal() }
          // Other call descriptors and the switch of the log are no reason either.
          for index in 0..<2 { try rig.frontEnd.setVringEvent(.setVringCall, UInt32(index), guest.queue(index).call) }
          try rig.frontEnd.setLogging(number % 2 == 0)
        }
        try rig.synchronize()
        #expect(rig.frontEnd.ram.pagesChangedByDevice.isEmpty)
        for index in 0..<2 { #expect(guest.queue(index).call.take() == 0) }
      }
    }
  }
}
