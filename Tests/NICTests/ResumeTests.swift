// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension NICTests {
  /// kill -9 at any moment: what the guest and the network gave is neither lost nor reordered.
  @Suite struct ResumeTests {
    /// A network, a guest's memory and state memory that outlive NIC processes.
    final class Survivors {
      let network: Network
      let uplink: Descriptor
      let state: Descriptor
      let ram: GuestRAM

      init(buffer: Int32) throws {
        network = try Network(bufferSize: buffer)
        uplink = try #require(network.uplink)
        state = try Descriptor.memory("nic-state", size: 1 << 20)
        ram = try GuestRAM()
      }

      func start(_ arguments: [String] = []) throws -> (NICProcess, Descriptor) {
        let (ours, theirs) = try Descriptor.socketPair(Int32(SOCK_STREAM.rawValue))
        let nic = try NICProcess(
          ["--fd=\(theirs.number)", "--uplink", "fd:\(uplink.number)", "--state-fd=\(state.number)"] + arguments,
          inheriting: [theirs, uplink, state])
        return (nic, ours)
      }
    }

    /// The recorded base of QEMU for a packed ring that it knows nothing of.
    static let staleBase: UInt32 = 0x8000_8000

    private func bases(_ guest: MockGuest) -> [UInt32] {
      (0..<2).map { index in
        let queue = guest.queue(index)
        return queue.options.layout == .packed ? Self.staleBase : UInt32(queue.publishedUsedIndex)
      }
    }

    @Test(
      "Frames of the guest survive a killed NIC, once each unless they were in flight",
      arguments: DriverQueue.Layout.allCases, [0, 1, 5])
    func transmit(layout: DriverQueue.Layout, receivedBefore: Int) throws {
      let survivors = try Survivors(buffer: 16384)
      let features = Rig.plainFeatures | (layout == .packed ? Feature.packed : 0)
      var (nic, socket) = try survivors.start()
      defer { nic.kill() }
      let frontEnd = FrontEnd(socket: socket, ram: survivors.ram)
      try frontEnd.negotiate()
      let guest = try MockGuest(
        frontEnd: frontEnd, features: features, options: .init(layout: layout, size: 64))
      try guest.start()
      var numbers: [Int] = []
      var sent = 0
      for _ in 0..<6 {
        for _ in 0..<40 where guest.transmitQueues[0].hasRoom(for: 1) {
          try guest.enqueue(Rig.frame(sent, payload: 300))
          sent += 1
        }
        guest.transmitQueues[0].kickIfNeeded()
        for _ in 0..<receivedBefore { numbers.append(try Rig.number(of: survivors.network.receive().frame)) }
        nic.kill()
        (nic, socket) = try survivors.start()
        frontEnd.replaceSocket(socket)
        try frontEnd.negotiate()
        try guest.start(bases: bases(guest))
        while try guest.transmitQueues[0].collectUsed().isEmpty == false {}
      }
      let deadline = Deadline(after: 5)
      while numbers.last != sent - 1, !deadline.hasPassed {
        if let packet = try survivors.network.poll(timeout: 0.5) { numbers.append(try Rig.number(of: packet.frame)) }
      }
      var seen: Set<Int> = []
      let first = numbers.filter { seen.insert($0).inserted }
      #expect(first == Array(0..<sent), "lost or reordered")
      #expect(numbers.count - first.count <= 6 * 64, "repeated \(numbers.count - first.count)")
      try nic.end()
    }

    @Test(
      "Frames to the guest come in order and whole after a kill; receive buffers are not lost",
      arguments: DriverQueue.Layout.allCases)
    func receive(layout: DriverQueue.Layout) throws {
      let survivors = try Survivors(buffer: 65536)
      let features = Rig.plainFeatures | (layout == .packed ? Feature.packed : 0)
      var (nic, socket) = try survivors.start()
      defer { nic.kill() }
      let frontEnd = FrontEnd(socket: socket, ram: survivors.ram)
      try frontEnd.negotiate()
      let guest = try MockGuest(
        frontEnd: frontEnd, features: features, options: .init(layout: layout, size: 64))
      try guest.start()
      var sent = 0
      var numbers: [Int] = []
      for round in 0..<6 {
        try guest.post(20, lengths: [2048])
        for _ in 0..<20 {
          try survivors.network.send(Rig.frame(sent))
          sent += 1
        }
        for _ in 0..<(round % 3) * 5 { numbers.append(try Rig.number(of: guest.receive().frame)) }
        nic.kill()
        (nic, socket) = try survivors.start()
        frontEnd.replaceSocket(socket)
        try frontEnd.negotiate()
        try guest.start(bases: bases(guest))
        while let received = try guest.poll(timeout: 0.05) { numbers.append(try Rig.number(of: received.frame)) }
      }
      // A frame that the killed process had taken from the uplink and not yet delivered is gone with it.
      #expect(numbers == numbers.sorted(), "reordered")
      #expect(Set(numbers).count == numbers.count, "repeated")
      #expect(numbers.count >= sent - 6 * 32)
      // The buffers, and what comes from now on, are all there.
      try guest.post(1, lengths: [2048])
      try survivors.network.send(Rig.frame(100_000))
      #expect(try Rig.number(of: guest.receive().frame) == 100_000)
      try nic.end()
    }

    @Test(
      "Killed at random moments under load, a ring still goes on, both ways", arguments: DriverQueue.Layout.allCases,
      0..<3)
    func stress(layout: DriverQueue.Layout, seed: UInt64) throws {
      let survivors = try Survivors(buffer: 1 << 20)
      let features = Rig.plainFeatures | (layout == .packed ? Feature.packed : 0)
      var random = SplitMix(state: seed)
      var (nic, socket) = try survivors.start()
      defer { nic.kill() }
      let frontEnd = FrontEnd(socket: socket, ram: survivors.ram)
      try frontEnd.negotiate()
      let guest = try MockGuest(
        frontEnd: frontEnd, features: features, options: .init(layout: layout, size: 256))
      try guest.start()
      var sent = 0
      var numbers: [Int] = []
      for _ in 0..<8 {
        let deadline = Deadline(after: 0.005 + Double(random.next() % 20_000) * 1e-6)
        while !deadline.hasPassed {
          while guest.transmitQueues[0].hasRoom(for: 1), sent % 64 != 63 || random.next() % 3 != 0 {
            try guest.enqueue(Rig.frame(sent))
            sent += 1
          }
          guest.transmitQueues[0].kickIfNeeded()
          while guest.receiveQueues[0].hasRoom(for: 1) { try guest.post(1, lengths: [2048]) }
          for number in 0..<64 where !survivors.network.trySend(Rig.frame(number)) { break }
          while let packet = try survivors.network.poll() { numbers.append(try Rig.number(of: packet.frame)) }
          try guest.reclaimSome()
          while try guest.poll() != nil {}
        }
        nic.kill()
        (nic, socket) = try survivors.start()
        frontEnd.replaceSocket(socket)
        try frontEnd.negotiate()
        try guest.start(bases: bases(guest))
      }
      let end = Deadline(after: 5)
      while numbers.last != sent - 1, !end.hasPassed {
        if let packet = try survivors.network.poll(timeout: 0.1) { numbers.append(try Rig.number(of: packet.frame)) }
      }
      var seen: Set<Int> = []
      let first = numbers.filter { seen.insert($0).inserted }
      #expect(first.count == sent, "\(sent - first.count) of \(sent) lost")
      #expect(first == first.sorted(), "reordered")
      // Everything behind what may lie in the uplink's buffer arrives, more than a lap of the ring.
      for number in 0..<600 {
        try guest.reclaimSome()
        while guest.receiveQueues[0].hasRoom(for: 1) { try guest.post(1, lengths: [2048]) }
        try survivors.network.send(Rig.frame(100_000 + number))
        var received = try guest.receive(timeout: 2)
        while try Rig.number(of: received.frame) != 100_000 + number { received = try guest.receive(timeout: 2) }
      }
      try nic.end()
    }

    /// A batch goes on record in the state memory (its layout: `RingJournal`), then to the ring: all of it but the first
    /// descriptor's flags, then those. What a process leaves that is killed in between is put there by hand, since no
    /// test can hit that moment at will.
    @Test("A packed ring whose NIC was killed with a batch half given back goes on, both ways", arguments: [0, 1])
    func halfABatch(index: Int) throws {
      let survivors = try Survivors(buffer: 65536)
      var (nic, socket) = try survivors.start()
      defer { nic.kill() }
      let frontEnd = FrontEnd(socket: socket, ram: survivors.ram)
      try frontEnd.negotiate()
      let guest = try MockGuest(
        frontEnd: frontEnd, features: Rig.plainFeatures | Feature.packed, options: .init(layout: .packed, size: 16))
      try guest.start()
      nic.kill()
      for number in 0..<4 {
        if index == 1 { try guest.enqueue(Rig.frame(number)) } else { try guest.post(1, lengths: [2048]) }
      }
      let queue = guest.queue(index)
      var record: [UInt8] = FrontEnd.octets(UInt32(0x8000 | 3 << 16))
      record += FrontEnd.octets(survivors.ram.userAddress(of: queue.descriptorArea))
      for slot in 0..<3 as Range<UInt64> {
        let descriptor = queue.descriptorArea + 16 * slot
        let identifier = survivors.ram.load(UInt16.self, at: descriptor + 12)
        record += FrontEnd.octets(UInt32(identifier) | 1 << 16)
        record += FrontEnd.octets(UInt32(index == 0 ? 12 + Rig.frame(Int(slot)).count : 0))
        if index == 0 {
          var header = NetworkHeader()
          header.bufferCount = 1
          let octets = header.octets(12) + Rig.frame(Int(slot))
          survivors.ram.write(octets, at: survivors.ram.load(UInt64.self, at: descriptor))
          survivors.ram.store(UInt32(octets.count), at: descriptor + 8)
        } else {
          survivors.ram.store(0 as UInt32, at: descriptor + 8)
        }
        if slot > 0 {
          survivors.ram.storeRelease(DriverQueue.flagAvailable | DriverQueue.flagUsed, at: descriptor + 14)
        }
      }
      #expect(pwrite(survivors.state.number, record, record.count, off_t(4096 + 8256 * index + 4)) == record.count)
      (nic, socket) = try survivors.start()
      frontEnd.replaceSocket(socket)
      try frontEnd.negotiate()
      try guest.start(bases: [Self.staleBase, Self.staleBase])
      if index == 0 { for slot in 0..<3 { #expect(try Rig.number(of: guest.receive().frame) == slot) } }
      // More than a lap of the ring.
      for number in 100..<140 {
        if index == 1 {
          try guest.transmit(Rig.frame(number))
          while try Rig.number(of: survivors.network.receive(timeout: 2).frame) != number {}
          try guest.reclaimSome()
        } else {
          while guest.receiveQueues[0].hasRoom(for: 1) { try guest.post(1, lengths: [2048]) }
          try survivors.network.send(Rig.frame(number))
          while try Rig.number(of: guest.receive(timeout: 2).frame) != number {}
        }
      }
      try nic.end()
    }

    @Test("A driver that made its ring anew is not resumed where the old ring stood")
    func freshRing() throws {
      let survivors = try Survivors(buffer: 65536)
      var (nic, socket) = try survivors.start()
      defer { nic.kill() }
      let frontEnd = FrontEnd(socket: socket, ram: survivors.ram)
      try frontEnd.negotiate()
      let guest = try MockGuest(
        frontEnd: frontEnd, features: Rig.plainFeatures | Feature.packed, options: .init(layout: .packed, size: 64))
      try guest.start()
      for number in 0..<10 { try guest.transmit(Rig.frame(number)) }
      try guest.reclaim(10)
      nic.kill()
      (nic, socket) = try survivors.start()
      frontEnd.replaceSocket(socket)
      guest.forget(pair: 0)
      try frontEnd.negotiate()
      try guest.start(bases: [Self.staleBase, Self.staleBase])
      while try survivors.network.poll() != nil {}
      try guest.transmit(Rig.frame(99))
      #expect(try Rig.number(of: survivors.network.receive().frame) == 99)
      try nic.end()
    }

    @Test(
      "State memory that is rubbish, of another size or of another version is not believed",
      arguments: [0, 1, 64, 4096, 1 << 20])
    func rubbish(size: Int) throws {
      let survivors = try Survivors(buffer: 65536)
      #expect(ftruncate(survivors.state.number, off_t(size)) == 0)
      if size > 0 {
        let octets = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ 0xa5) }
        #expect(pwrite(survivors.state.number, octets, size, 0) == size)
      }
      let (nic, socket) = try survivors.start()
      defer { nic.kill() }
      let frontEnd = FrontEnd(socket: socket, ram: survivors.ram)
      // Refusing to start is an answer too, if it is said in a sentence.
      guard nic.errors.waitForLine(containing: "confined") else {
        #expect(nic.wait(timeout: 5) == .exited(2))
        #expect(try nic.errors.allLines().count == 1)
        return
      }
      try frontEnd.negotiate()
      let guest = try MockGuest(
        frontEnd: frontEnd, features: Rig.plainFeatures | Feature.packed, options: .init(layout: .packed, size: 64))
      try guest.start()
      try guest.transmit(Rig.frame(1))
      #expect(try Rig.number(of: survivors.network.receive().frame) == 1)
      try nic.end()
    }
  }
}
