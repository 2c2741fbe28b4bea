// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension NICTests {
  /// A front-end that is broken or hostile (attack classes F of the check list).
  @Suite struct HostileFrontEndTests {
    static let broken: [[UInt8]] = [
      FrontEnd.encode(1, flags: 0), FrontEnd.encode(1, flags: 2), FrontEnd.encode(1, flags: 3),
      FrontEnd.encode(1, size: 0xffff_ffff), FrontEnd.encode(2, size: 1 << 20),
      [UInt8](repeating: 0xff, count: 64),
    ]

    @Test("A message with a wrong version or an absurd size ends the connection, not the program", arguments: broken)
    func closes(octets: [UInt8]) throws {
      let path = "/tmp/nic-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
      let nic = try NICProcess(["--socket-path=\(path)", "--uplink", "null"])
      defer { nic.kill() }
      let ram = try GuestRAM(size: 4 << 20)
      let bad = try FrontEnd(connectingTo: path, ram: ram)
      try bad.sendRaw(octets)
      #expect(bad.isClosed())
      let good = try FrontEnd(connectingTo: path, ram: ram)
      #expect(try good.getFeatures() == Feature.offered)
      try nic.end()
    }

    @Test("CVE-2020-10723: a vring index that does not exist is refused", arguments: Request.ofVrings)
    func badIndex(request: Request) throws {
      try Rig.run(Rig.Shape(pairs: 2)) { (rig) throws in
        let event = try Event()
        // Twice as many vrings are served as two pairs have: front-ends disagree on what GET_QUEUE_NUM counts.
        let indices: [UInt32] = [
          8, 9, 0x7f, 0x80, 0xff, 0x100, 0x108, 0x1ff, 0x1_0000, 0x1_0001, 0x8000_0000, 0xffff_ffff,
        ]
        for index in indices {
          var payload = FrontEnd.vringState(index, 256)
          var descriptors: [Int32] = []
          switch request {
          case .setVringAddress: payload = FrontEnd.vringAddress(index, descriptors: 0, used: 0, available: 0)
          case .setVringKick, .setVringCall, .setVringError:
            // Bits 0...7 are the index, bit 8 says "no descriptor": the rest of the word must not be an index.
            guard index & 0xff >= 8 else { continue }
            payload = FrontEnd.octets(UInt64(index))
            descriptors = index & 0x100 == 0 ? [event.number] : []
          default: break
          }
          try rig.frontEnd.send(request.rawValue, flags: 9, payload: payload, descriptors: descriptors)
          let reply = try rig.frontEnd.answer(to: request)
          if request != .getVringBase { #expect(reply.number != 0, "index \(index)") }
        }
        try rig.checkTraffic(pair: 1)
      }
    }

    @Test("CVE-2019-14818, CVE-2022-0669: descriptors that no one wants are closed, 10 000 times over")
    func descriptorLeak() throws {
      try Rig.run { (rig) throws in
        let stray = try Event()
        try rig.synchronize()
        let before = try rig.nic.openDescriptors()
        for round in 0..<10_000 {
          // Each with descriptors that do not belong there; the one that has a reply keeps us in step.
          let request: Request = [.setOwner, .setVringNumber, .setStatus, .removeMemoryRegion, .setVringBase][round % 5]
          let payload = request == .setStatus ? FrontEnd.octets(UInt64(0xf)) : [UInt8](repeating: 0xee, count: 8)
          try rig.frontEnd.send(
            request == .setOwner ? 3 : request.rawValue, payload: request == .setOwner ? [] : payload,
            descriptors: [Int32](repeating: stray.number, count: 1 + round % 8))
          if round % 100 == 0 { try rig.synchronize() }
        }
        try rig.synchronize()
        #expect(try rig.nic.openDescriptors() == before)
        try rig.checkTraffic()
      }
    }

    @Test("Each descriptor that replaces another closes it: kick, call and error, 3 000 times over")
    func replacedDescriptors() throws {
      try Rig.run { (rig) throws in
        let queue = rig.guest.transmitQueues[0]
        try rig.synchronize()
        let before = try rig.nic.openDescriptors()
        for round in 0..<1000 {
          try rig.frontEnd.setVringEvent(.setVringKick, 1, queue.kick)
          try rig.frontEnd.setVringEvent(.setVringCall, 1, queue.call)
          try rig.frontEnd.setVringEvent(.setVringError, 1, queue.error)
          if round % 100 == 0 { try rig.synchronize() }
        }
        try rig.synchronize()
        #expect(try rig.nic.openDescriptors() == before)
        try rig.checkTraffic()
      }
    }

    @Test("A message with more descriptors than any may have loses them, or ends the connection")
    func tooManyDescriptors() throws {
      let path = "/tmp/nic-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
      let nic = try NICProcess(["--socket-path=\(path)", "--uplink", "null"])
      defer { nic.kill() }
      let ram = try GuestRAM(size: 4 << 20)
      let stray = try Event()
      var counts: Set<Int> = []
      for _ in 0..<20 {
        let frontEnd = try FrontEnd(connectingTo: path, ram: ram)
        _ = try frontEnd.getFeatures()
        counts.insert(try nic.openDescriptors())
        try frontEnd.send(3, descriptors: [Int32](repeating: stray.number, count: 200))
        _ = try? frontEnd.getFeatures()
      }
      #expect(counts.count == 1, "\(counts)")
      try nic.end()
    }

    @Test("Messages sent over and over cost neither descriptors, mappings nor memory")
    func repeats() throws {
      try Rig.run { (rig) throws in
        let frontEnd = rig.frontEnd
        func round() throws {
          for index in 0..<2 as Range<UInt32> { try frontEnd.setVringEnable(index, true) }
          _ = try frontEnd.getVringBase(1)
          try frontEnd.setMemoryTable()
          try frontEnd.setBackEndChannel()
          try frontEnd.startVring(1, rig.guest.transmitQueues[0])
          _ = try frontEnd.setMTU(1500)
        }
        for _ in 0..<50 { try round() }
        let before = (
          try rig.nic.openDescriptors(), try rig.nic.memoryMappings(), try rig.nic.residentKibibytes()
        )
        for _ in 0..<500 { try round() }
        #expect(try rig.nic.openDescriptors() == before.0)
        #expect(try rig.nic.memoryMappings() == before.1)
        if !NICProcess.isSanitized { #expect(try rig.nic.residentKibibytes() < before.2 + 512) }
        try rig.checkTraffic()
      }
    }

    @Test(
      "NUM is refused when 0, above 32768, or no power of two for a split ring",
      arguments: [0, 3, 255, 257, 32769, 65535, 65536, 0xffff_ffff] as [UInt32])
    func ringSize(size: UInt32) throws {
      try Rig.runNegotiated { (rig) throws in
        try rig.frontEnd.prepare(features: rig.guest.features)
        // Whether the ring is split or packed may be known only later: the ring must not start with such a size.
        let queue = rig.guest.transmitQueues[0]
        let answer = try rig.frontEnd.acknowledgement(.setVringNumber, payload: FrontEnd.vringState(1, size))
        if size == 0 || size > 32768 { #expect(answer != 0) }
        try rig.frontEnd.setVringAddress(1, of: queue)
        try rig.frontEnd.setVringEvent(.setVringKick, 1, queue.kick)
        try rig.frontEnd.enable(0..<2)
        try rig.guest.transmit(Rig.frame(1))
        try rig.synchronize()
        if answer != 0 { #expect(try rig.network.poll(timeout: 0.02) == nil) }
      }
    }

    @Test("CVE-2026-86565: a new NUM for a running ring is refused or without effect until the ring starts again")
    func resize() throws {
      try Rig.run { (rig) throws in
        for size in [1, 2, 512, 32768] as [UInt32] {
          _ = try rig.frontEnd.acknowledgement(.setVringNumber, payload: FrontEnd.vringState(1, size))
          for number in 0..<300 { try rig.checkTraffic(number: number) }
        }
      }
    }
  }
}
