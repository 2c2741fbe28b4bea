// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension NICTests {
  /// Memory regions that cannot be, or cease to be.
  @Suite struct HostileMemoryTests {
    typealias Region = GuestRAM.Region
    static let page: UInt64 = 4096

    /// (what, region); the memfd has 16 MiB.
    static let impossible: [(String, Region)] = [
      ("no size", Region(guestAddress: 0, size: 0, userAddress: 0x1000_0000, offset: 0)),
      ("size 2^64-1", Region(guestAddress: 0, size: .max, userAddress: 0x1000_0000, offset: 0)),
      (
        "CVE-2020-10722 size + offset wraps",
        Region(guestAddress: 0, size: 0x2000, userAddress: 0x1000_0000, offset: 0 &- 0x1000)
      ),
      (
        "size + offset wraps to 0", Region(guestAddress: 0, size: 0x1000, userAddress: 0x1000_0000, offset: 0 &- 0x1000)
      ),
      (
        "guest address + size wraps",
        Region(guestAddress: 0 &- 0x1000, size: 0x2000, userAddress: 0x1000_0000, offset: 0)
      ),
      ("user address + size wraps", Region(guestAddress: 0, size: 0x2000, userAddress: 0 &- 0x1000, offset: 0)),
      ("longer than its file", Region(guestAddress: 0, size: 32 << 20, userAddress: 0x1000_0000, offset: 0)),
      ("beyond its file", Region(guestAddress: 0, size: 0x1000, userAddress: 0x1000_0000, offset: 16 << 20)),
      ("larger than any address space", Region(guestAddress: 0, size: 1 << 60, userAddress: 0x1000_0000, offset: 0)),
    ]

    @Test("A region that cannot be is refused by SET_MEM_TABLE and ADD_MEM_REG", arguments: impossible.indices)
    func impossibleRegion(index: Int) throws {
      let (what, region) = Self.impossible[index]
      try Rig.run { (rig) throws in
        let descriptor = rig.frontEnd.ram.descriptor.number
        #expect(
          try rig.frontEnd.acknowledgement(
            .addMemoryRegion, payload: FrontEnd.memoryRegion(region), descriptors: [descriptor]) != 0, "\(what)")
        try rig.checkTraffic()
        #expect(
          try rig.frontEnd.acknowledgement(
            .setMemoryTable, payload: FrontEnd.memoryTable([region]), descriptors: [descriptor]) != 0, "\(what)")
        #expect(try rig.counter("refused", of: "front-end") == 2)
        #expect(rig.lines(with: "was not carried out") == 2)
        // Whatever became of the old table, a good one brings the rings back.
        for index in 0..<2 as Range<UInt32> { _ = try rig.frontEnd.getVringBase(index) }
        try rig.frontEnd.setMemoryTable()
        for index in 0..<2 { try rig.frontEnd.startVring(UInt32(index), rig.guest.queue(index)) }
        try rig.checkTraffic()
      }
    }

    @Test(
      "A table that lies about its count, or comes without its descriptors, is refused",
      arguments: [0, 1, 3, 8, 9, 255, 0xffff_ffff] as [UInt32])
    func tableCount(count: UInt32) throws {
      try Rig.runNegotiated { (rig) throws in
        let regions = rig.frontEnd.ram.regions
        let descriptors = [Int32](repeating: rig.frontEnd.ram.descriptor.number, count: 2)
        let payload = FrontEnd.memoryTable(regions, count: count)
        let answer = try rig.frontEnd.acknowledgement(.setMemoryTable, payload: payload, descriptors: descriptors)
        if count != 0 { #expect(answer != 0) }
        let right = FrontEnd.memoryTable(regions)
        #expect(try rig.frontEnd.acknowledgement(.setMemoryTable, payload: right) != 0)
        #expect(
          try rig.frontEnd.acknowledgement(.setMemoryTable, payload: right, descriptors: [descriptors[0]]) != 0)
        #expect(try rig.frontEnd.acknowledgement(.setMemoryTable, payload: right, descriptors: descriptors) == 0)
      }
    }

    @Test("Regions that overlap are refused")
    func overlap() throws {
      try Rig.runNegotiated { (rig) throws in
        try rig.frontEnd.setFeatures(rig.guest.features)
        var region = rig.frontEnd.ram.regions[1]
        try rig.frontEnd.addMemoryRegion(region)
        region.userAddress = 0x10_0000_0000
        region.guestAddress += 0x1000
        region.size = 0x1000
        let payload = FrontEnd.memoryRegion(region)
        let descriptor = rig.frontEnd.ram.descriptor.number
        #expect(try rig.frontEnd.acknowledgement(.addMemoryRegion, payload: payload, descriptors: [descriptor]) != 0)
        #expect(try rig.frontEnd.acknowledgement(.removeMemoryRegion, payload: payload) != 0)
      }
    }

    @Test("A table whose regions overlap, or one of which is impossible, changes nothing: the old one is served")
    func badTable() throws {
      try Rig.run { (rig) throws in
        let good = rig.frontEnd.ram.regions
        var inside = good[1]
        inside.guestAddress += 0x1000
        inside.size = 0x1000
        let tables = [[good[0], good[1], inside], [good[0], good[0]]] + Self.impossible.map { [good[0], $0.1] }
        for (number, table) in tables.enumerated() {
          let descriptors = table.map { _ in rig.frontEnd.ram.descriptor.number }
          let payload = FrontEnd.memoryTable(table)
          #expect(try rig.frontEnd.acknowledgement(.setMemoryTable, payload: payload, descriptors: descriptors) != 0)
          try rig.checkTraffic(number: number)
        }
        #expect(try rig.counter("refused", of: "front-end") == tables.count)
        #expect(rig.lines(with: "setMemTable was not carried out") == tables.count)
      }
    }

    @Test("509 regions can be added, not one more, and all removed again without a trace")
    func slots() throws {
      try Rig.runNegotiated { (rig) throws in
        try rig.synchronize()
        let before = (try rig.nic.openDescriptors(), try rig.nic.memoryMappings())
        let descriptor = rig.frontEnd.ram.descriptor.number
        func payload(_ number: UInt64) -> [UInt8] {
          FrontEnd.memoryRegion(
            Region(
              guestAddress: number << 20, size: 4096, userAddress: 0x1000_0000 + number << 20, offset: number << 12))
        }
        for number in 0..<509 as Range<UInt64> {
          #expect(
            try rig.frontEnd.acknowledgement(.addMemoryRegion, payload: payload(number), descriptors: [descriptor]) == 0
          )
        }
        #expect(
          try rig.frontEnd.acknowledgement(.addMemoryRegion, payload: payload(509), descriptors: [descriptor]) != 0)
        for number in 0..<509 as Range<UInt64> {
          #expect(try rig.frontEnd.acknowledgement(.removeMemoryRegion, payload: payload(number)) == 0)
        }
        #expect(try rig.nic.memoryMappings() == before.1)
        #expect(try rig.nic.openDescriptors() == before.0)
      }
    }

    @Test("Memory whose file was cut short after it was mapped does not kill the program (SIGBUS)")
    func truncated() throws {
      let path = "/tmp/nic-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
      let nic = try NICProcess(["--socket-path=\(path)", "--uplink", "null"])
      defer { nic.kill() }
      let frontEnd = try FrontEnd(connectingTo: path, ram: try GuestRAM())
      try frontEnd.negotiate()
      let guest = try MockGuest(frontEnd: frontEnd, features: Rig.plainFeatures, options: .init())
      try guest.start()
      try guest.transmit(Rig.frame(1))
      try guest.reclaim(1)
      #expect(ftruncate(frontEnd.ram.descriptor.number, 0) == 0)
      // The driver's own view is gone with it: only the descriptors can be used from here on.
      guest.transmitQueues[0].kick.signal()
      guest.receiveQueues[0].kick.signal()
      #expect(frontEnd.isClosed(timeout: 2))
      let next = try FrontEnd(connectingTo: path, ram: try GuestRAM(size: 4 << 20))
      #expect(try next.getFeatures() == Feature.offered)
      try nic.end()
    }

    @Test("A ring that lies outside of memory, across its edge, or unaligned, never runs")
    func ringPlace() throws {
      try Rig.runNegotiated { (rig) throws in
        try rig.frontEnd.prepare(features: rig.guest.features)
        let ram = rig.frontEnd.ram
        let good = ram.userAddress(of: 0x20_0000)
        let edge = ram.regions[1].userAddress + ram.regions[1].size
        let queue = rig.guest.transmitQueues[0]
        let hole = ram.regions[0].userAddress + 0xa0000
        let places: [UInt64] = [0, 1, good + 1, edge - 16, edge, hole - 64, hole, .max, .max - 15]
        for bad in places {
          for place in 0..<3 {
            var areas = [good, good + 0x4000, good + 0x8000]
            areas[place] = bad
            try rig.frontEnd.setVringNumber(1, 256)
            try rig.frontEnd.setVringBase(1, 0)
            try rig.frontEnd.send(
              Request.setVringAddress.rawValue,
              payload: FrontEnd.vringAddress(1, descriptors: areas[0], used: areas[1], available: areas[2]))
            try rig.frontEnd.setVringEvent(.setVringKick, 1, queue.kick)
            queue.kick.signal()
            try rig.frontEnd.setVringEnable(1, true)
            _ = try rig.frontEnd.getVringBase(1)
          }
        }
        for index in 0..<2 { try rig.frontEnd.startVring(UInt32(index), rig.guest.queue(index)) }
        try rig.frontEnd.enable(0..<2)
        try rig.checkTraffic()
      }
    }

    @Test("SET_MEM_TABLE with new user addresses and no new rings keeps the traffic going")
    func tableReplaced() throws {
      try Rig.run(Rig.Shape(flavour: .qemu7)) { (rig) throws in
        for number in 0..<20 {
          try rig.checkTraffic(number: number)
          try rig.frontEnd.setMemoryTable()
        }
        try rig.checkTraffic()
      }
    }
  }
}
