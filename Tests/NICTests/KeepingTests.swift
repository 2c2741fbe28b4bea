// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension NICTests {
  /// A manager keeps what a NIC needs (docs/keeping.md): killed at any moment, its successor goes on with the same connection.
  @Suite struct KeepingTests {
    /// A front-end, its guest, and a manager that starts one NIC after the other for them.
    final class Bed {
      let store: DescriptorStore
      let network: Network
      let path: String
      let arguments: [String]
      var nic: NICProcess
      let frontEnd: FrontEnd
      let guest: MockGuest

      init(
        layout: DriverQueue.Layout = .split, pairs: Int = 1, size: UInt16 = 64, buffer: Int32 = 1 << 20,
        store: DescriptorStore? = nil, arguments: [String] = [], flavour: FrontEnd.Flavour = .qemu10,
        starts: Bool = true
      ) throws {
        let store = try store ?? DescriptorStore()
        self.store = store
        network = try Network(bufferSize: buffer)
        store.add("uplink", try #require(network.uplink))
        network.uplink = nil
        path = "/tmp/vtcp-keep-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"
        var words = ["--socket-path=\(path)", "--uplink", "fd:900"]
        if pairs > 1 { words += ["--queues", "\(pairs)"] }
        self.arguments = words + arguments
        nic = try NICProcess(self.arguments, store: store)
        guard store.wait(for: { $0.lines.contains("READY=1") }) else {
          throw TestFailure("not ready: \(nic.errors.text)")
        }
        frontEnd = FrontEnd(socket: try FrontEnd.connect(to: path), ram: try GuestRAM())
        var features = Rig.plainFeatures | (layout == .packed ? Feature.packed : 0)
        if pairs > 1 { features |= Feature.multiQueue }
        guest = try MockGuest(
          frontEnd: frontEnd, features: features, options: .init(layout: layout, size: size), pairs: pairs)
        guard starts else { return }
        try frontEnd.negotiate(flavour)
        try guest.start()
        try settle()
      }

      deinit {
        nic.kill()
        unlink(path)
      }

      /// Waits until a successor would go on with the connection.
      func settle() throws {
        _ = try frontEnd.getFeatures()
        guard try store.wait(for: { try $0.sessionState() == 1 }) else {
          throw TestFailure("the session is not whole: \(try store.sessionState()), \(store.names)\n\(nic.errors.text)")
        }
      }

      func restart(_ more: [String] = []) throws {
        nic.kill()
        try startNext(more)
      }

      func startNext(_ more: [String] = []) throws {
        nic = try NICProcess(arguments + more, store: store)
      }

      /// Whether the NIC goes on with the connection, and says so.
      func expectResumed() {
        #expect(nic.errors.waitForLine(containing: "goes on with the front-end's connection"), "\(nic.errors.text)")
      }

      /// One frame each way.
      func checkTraffic(_ number: Int) throws {
        for pair in 0..<guest.pairs {
          try guest.transmit(Rig.frame(number + pair), pair: pair)
          while try Rig.number(of: network.receive(timeout: 5).frame) != number + pair {}
          try guest.reclaimSome(pair: pair)
        }
        guard guest.pairs == 1 else { return }
        try guest.post(1, lengths: [2048])
        try network.send(Rig.frame(number))
        while try Rig.number(of: guest.receive(timeout: 5).frame) != number {}
      }
    }

    @Test(
      "Killed at random moments under load, the connection stays and the rings go on, both ways",
      arguments: DriverQueue.Layout.allCases, 0..<3)
    func stress(layout: DriverQueue.Layout, seed: UInt64) throws {
      let bed = try Bed(layout: layout, size: 256)
      let (guest, network) = (bed.guest, bed.network)
      var random = SplitMix(state: seed)
      var sent = 0
      var numbers: [Int] = []
      for _ in 0..<12 {
        let deadline = Deadline(after: 0.005 + Double(random.next() % 20_000) * 1e-6)
        while !deadline.hasPassed {
          while guest.transmitQueues[0].hasRoom(for: 1), sent % 64 != 63 || random.next() % 3 != 0 {
            try guest.enqueue(Rig.frame(sent))
            sent += 1
          }
          guest.transmitQueues[0].kickIfNeeded()
          while guest.receiveQueues[0].hasRoom(for: 1) { try guest.post(1, lengths: [2048]) }
          for number in 0..<64 where !network.trySend(Rig.frame(number)) { break }
          while let packet = try network.poll() { numbers.append(try Rig.number(of: packet.frame)) }
          try guest.reclaimSome()
          while try guest.poll() != nil {}
        }
        try bed.restart()
      }
      bed.expectResumed()
      let end = Deadline(after: 5)
      while numbers.last != sent - 1, !end.hasPassed {
        if let packet = try network.poll(timeout: 0.1) { numbers.append(try Rig.number(of: packet.frame)) }
        try guest.reclaimSome()
      }
      var seen: Set<Int> = []
      let first = numbers.filter { seen.insert($0).inserted }
      #expect(first.count == sent, "\(sent - first.count) of \(sent) lost")
      #expect(first == first.sorted(), "reordered")
      for number in 0..<600 {
        try guest.reclaimSome()
        while guest.receiveQueues[0].hasRoom(for: 1) { try guest.post(1, lengths: [2048]) }
        try network.send(Rig.frame(100_000 + number))
        var received = try guest.receive(timeout: 2)
        while try Rig.number(of: received.frame) != 100_000 + number {
          while guest.receiveQueues[0].hasRoom(for: 1) { try guest.post(1, lengths: [2048]) }
          received = try guest.receive(timeout: 2)
        }
      }
      // The same connection, which answers.
      _ = try bed.frontEnd.getFeatures()
      try bed.nic.end()
    }

    @Test(
      "Killed before each message of a front-end, every successor goes on with what was said before",
      arguments: FrontEnd.Flavour.allCases, [1, 3])
    func betweenMessages(flavour: FrontEnd.Flavour, pairs: Int) throws {
      for layout in DriverQueue.Layout.allCases {
        let bed = try Bed(layout: layout, pairs: pairs, starts: false)
        var kills = 0
        bed.frontEnd.beforeMessage = { [unowned bed] in
          let isWhole = try bed.store.wait { try $0.sessionState() == 1 }
          guard isWhole else { throw TestFailure("not whole after \(kills) messages: \(bed.nic.errors.text)") }
          try bed.restart()
          kills += 1
        }
        try bed.frontEnd.negotiate(flavour)
        try bed.guest.start()
        bed.frontEnd.beforeMessage = nil
        try bed.settle()
        #expect(kills > 15 * pairs)
        try bed.checkTraffic(1)
        try bed.restart()
        bed.expectResumed()
        try bed.checkTraffic(100)
        try bed.nic.end()
      }
    }

    @Test("Killed in the midst of a message, the successor closes the connection, and the front-end may come back")
    func halfAMessage() throws {
      let bed = try Bed()
      try bed.frontEnd.sendRaw(
        Array(FrontEnd.encode(Request.setVringEnable.rawValue, payload: [0, 0, 0, 0, 1, 0, 0, 0]).prefix(15)))
      #expect(try bed.store.wait { try $0.sessionState() == 2 })
      try bed.restart()
      #expect(bed.frontEnd.isClosed())
      bed.frontEnd.replaceSocket(try FrontEnd.connect(to: bed.path))
      try bed.frontEnd.negotiate()
      try bed.guest.start(bases: [0, 1].map { UInt32(bed.guest.queue($0).publishedUsedIndex) })
      try bed.checkTraffic(1)
      try bed.nic.end()
    }

    @Test(
      "A descriptor that is missing, or there twice, is not guessed: the front-end has to connect again",
      arguments: ["connection", "memory-0", "kick-1", "call-0", "error-1", "backend-requests"], [false, true])
    func missing(name: String, twice: Bool) throws {
      let bed = try Bed()
      bed.nic.kill()
      let descriptor = try #require(bed.store[name])
      if twice { bed.store.add(name, descriptor) } else { bed.store.forget(name) }
      try bed.startNext()
      try #require(bed.store.wait { $0.lines.count { $0 == "READY=1" } == 2 }, "\(bed.nic.errors.text)")
      #expect(!bed.nic.errors.text.contains("goes on with the front-end's connection"))
      withExtendedLifetime(descriptor) {}
      #expect(bed.store.names.filter { $0 != "state" && $0 != "listener" && $0 != "uplink" } == [])
      bed.frontEnd.replaceSocket(try FrontEnd.connect(to: bed.path))
      try bed.frontEnd.negotiate()
      try bed.guest.start(bases: [0, 1].map { UInt32(bed.guest.queue($0).publishedUsedIndex) })
      try bed.checkTraffic(1)
      try bed.nic.end()
    }

    @Test("What is kept is what there is: nothing more after a front-end has gone, and nothing after SIGTERM")
    func whatIsKept() throws {
      let bed = try Bed()
      let rings = (0..<2).flatMap { ["call-\($0)", "error-\($0)", "kick-\($0)"] }
      let own = ["listener", "state", "uplink"]
      #expect(bed.store.names == (rings + own + ["connection", "memory-0", "backend-requests"]).sorted())
      bed.frontEnd.replaceSocket(try FrontEnd.connect(to: bed.path))
      #expect(bed.store.wait { $0.names == (own + ["connection"]).sorted() }, "\(bed.store.names)")
      try bed.nic.end()
      #expect(bed.store.names.isEmpty)
      #expect(bed.store.lines.contains("STOPPING=1"))
    }

    @Test("SIGUSR2 ends it with everything kept, and the next one goes on")
    func handOver() throws {
      let bed = try Bed(layout: .packed)
      for number in 0..<5 {
        try bed.checkTraffic(number)
        bed.nic.signal(SIGUSR2)
        #expect(bed.nic.wait() == .exited(0))
        try bed.startNext()
        bed.expectResumed()
      }
      try bed.checkTraffic(100)
      try bed.nic.end()
    }

    @Test("Another manager gets everything when it asks, and what starts from that goes on")
    func anotherManager() throws {
      let control = "/tmp/vtcp-keep-\(getpid())-\(UInt32.random(in: 0 ... .max)).control"
      let bed = try Bed(arguments: ["--control-socket=\(control)"])
      defer { unlink(control) }
      let other = try DescriptorStore()
      #expect(try Self.ask(control, "keeper\n", other.connected()).hasPrefix("ok\n"))
      #expect(other.wait { $0.lines.contains("READY=1") })
      #expect(other.names == bed.store.names)
      try bed.checkTraffic(1)
      bed.nic.kill()
      bed.nic = try NICProcess(bed.arguments, store: other)
      bed.expectResumed()
      try bed.checkTraffic(2)
      try bed.nic.end()
      #expect(other.names.isEmpty)
    }

    @Test("A manager that does not read is no reason to wait: frames pass; a NIC that is killed then begins anew")
    func silentManager() throws {
      let control = "/tmp/vtcp-keep-\(getpid())-\(UInt32.random(in: 0 ... .max)).control"
      let bed = try Bed(arguments: ["--control-socket=\(control)"])
      defer { unlink(control) }
      let silent = try DescriptorStore(reads: false)
      try silent.fill()
      #expect(try Self.ask(control, "keeper\n", silent.connected()).hasPrefix("ok\n"))
      for number in 0..<100 { try bed.checkTraffic(number) }
      #expect(try Self.ask(control, "status\n").contains("\nkept 0\n"))
      #expect(try bed.store.sessionState() == 2)
      try bed.restart()
      #expect(bed.frontEnd.isClosed())
      try bed.nic.end()
    }

    @Test("A manager that is gone keeps nothing, which is said, and the NIC goes on")
    func lostManager() throws {
      let control = "/tmp/vtcp-keep-\(getpid())-\(UInt32.random(in: 0 ... .max)).control"
      let bed = try Bed(arguments: ["--control-socket=\(control)"])
      defer { unlink(control) }
      do {
        let gone = try DescriptorStore(reads: false)
        let socket = try gone.connected()
        withExtendedLifetime(gone) {}
        gone.close()
        #expect(try Self.ask(control, "keeper\n", socket).hasPrefix("ok\n"))
      }
      #expect(bed.nic.errors.waitForLine(containing: "nobody keeps our descriptors any more"))
      try bed.checkTraffic(1)
      #expect(try bed.store.sessionState() == 0)
      #expect(try Self.ask(control, "hand-over\n").hasPrefix("error\n"))
      try bed.nic.end()
    }

    @Test(
      "A control request that lacks its descriptor, or has another kind of it, is refused", arguments: [true, false])
    func wrongKeeper(hasDescriptor: Bool) throws {
      let control = "/tmp/vtcp-keep-\(getpid())-\(UInt32.random(in: 0 ... .max)).control"
      let bed = try Bed(arguments: ["--control-socket=\(control)"])
      defer { unlink(control) }
      let descriptor = hasDescriptor ? try Descriptor.pipe().0 : nil
      #expect(try Self.ask(control, "keeper\n", descriptor).hasPrefix("error\nkeeper: "))
      try bed.checkTraffic(1)
      try bed.nic.end()
    }

    /// What the control socket answers.
    private static func ask(_ path: String, _ text: String, _ descriptor: Descriptor? = nil) throws -> String {
      let socket = try FrontEnd.connect(to: path)
      let asking = FrontEnd(socket: socket, ram: try GuestRAM())
      try asking.sendRaw(Array(text.utf8), descriptors: descriptor.map { [$0.number] } ?? [])
      var answer: [UInt8] = []
      var part = [UInt8](repeating: 0, count: 4096)
      let deadline = Deadline(after: 5)
      while socket.wait(for: POLLIN, until: deadline) {
        let count = recv(socket.number, &part, part.count, Int32(MSG_DONTWAIT))
        guard count > 0 else { break }
        answer += part.prefix(count)
      }
      return String(decoding: answer, as: UTF8.self)
    }

    @Test("Without a manager SIGUSR2 does not end it")
    func nobodyKeeps() throws {
      try Rig.run { rig in
        rig.nic.signal(SIGUSR2)
        #expect(rig.nic.errors.waitForLine(containing: "nobody keeps our descriptors"))
        try rig.checkTraffic()
      }
    }
  }
}
