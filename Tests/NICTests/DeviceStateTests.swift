// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension NICTests {
  /// What travels with a guest from one NIC to another. The format is that of docs/device-state.md, written here anew.
  @Suite struct DeviceStateTests {
    struct Section {
      var type: UInt16
      var flags: UInt16
      var payload: [UInt8]
    }

    /// CRC-64 of ECMA-182 as xz has it, bit by bit.
    static func checksum(_ octets: [UInt8]) -> UInt64 {
      var value = UInt64.max
      for octet in octets {
        value ^= UInt64(octet)
        for _ in 0..<8 { value = value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xc96c_5795_d787_0f42 }
      }
      return ~value
    }

    static func encode(_ sections: [Section], version: UInt32 = 1, count: UInt32? = nil, extra: Int = 0) -> [UInt8] {
      var body: [UInt8] = []
      for section in sections {
        body += FrontEnd.octets(section.type) + FrontEnd.octets(section.flags)
        body += FrontEnd.octets(UInt32(section.payload.count)) + section.payload
        body += [UInt8](repeating: 0, count: (8 - section.payload.count % 8) % 8)
      }
      var octets = Array("vTCPmigr".utf8) + FrontEnd.octets(version)
      octets += FrontEnd.octets(count ?? UInt32(sections.count))
      octets += FrontEnd.octets(UInt64(24 + body.count + 8 + extra)) + body
      return octets + FrontEnd.octets(checksum(octets))
    }

    static func number<T: FixedWidthInteger>(_: T.Type, _ octets: [UInt8], at offset: Int) -> T {
      octets[offset..<offset + T.bitWidth / 8].reversed().reduce(0) { $0 << 8 | T($1) }
    }

    static func sections(_ octets: [UInt8]) -> [Section] {
      var (sections, offset): ([Section], Int) = ([], 24)
      while offset < octets.count - 8 {
        let length = Int(number(UInt32.self, octets, at: offset + 4))
        sections.append(
          Section(
            type: number(UInt16.self, octets, at: offset), flags: number(UInt16.self, octets, at: offset + 2),
            payload: Array(octets[offset + 8..<offset + 8 + length])))
        offset += 8 + (length + 7) / 8 * 8
      }
      return sections
    }

    /// Frames of so many flows, from the guest on pair 1.
    private func flow(_ number: Int, reversed: Bool = false) -> [UInt8] {
      var builder = FrameBuilder(.v4, .udp, payload: FrontEnd.octets(UInt32(number)) + FrameBuilder.pattern(40))
      builder.sourcePort = reversed ? 5001 : UInt16(41000 + number)
      builder.destinationPort = reversed ? UInt16(41000 + number) : 5001
      return builder.frame()
    }

    private func stop(_ rig: Rig) throws {
      for index in 0..<UInt32(2 * rig.guest.pairs) { _ = try rig.frontEnd.getVringBase(index) }
    }

    @Test("Flows stay on their queue pair and counters go on counting in another process")
    func roundTrip() throws {
      let flows = 16
      var state: [UInt8] = []
      try Rig.run(Rig.Shape(pairs: 2)) { (rig) throws in
        for number in 0..<flows {
          try rig.guest.transmit(flow(number), pair: 1)
          _ = try rig.network.receive()
        }
        try rig.guest.reclaim(flows, pair: 1)
        try stop(rig)
        state = try rig.frontEnd.saveState()
      }
      try Rig.runNegotiated(Rig.Shape(pairs: 2)) { (rig) throws in
        #expect(try rig.frontEnd.loadState(state) == 0)
        try rig.guest.start()
        try rig.settle()
        for pair in 0..<2 { try rig.guest.post(32, lengths: [2048], pair: pair) }
        // The hash of the process before is the same in both directions, and this process has another by itself.
        for number in 0..<flows {
          try rig.network.send(flow(number))
          #expect(try rig.guest.receive(pair: 1).frame == flow(number))
        }
        rig.nic.signal(SIGUSR1)
        #expect(rig.nic.errors.waitForLine(containing: "queue 3 transmit frames=\(flows) "))
      }
    }

    @Test("The state is as docs/device-state.md has it")
    func format() throws {
      try Rig.run(Rig.Shape(arguments: ["--mac", "52:54:00:aa:bb:cc", "--mtu", "9000"])) { (rig) throws in
        try stop(rig)
        let state = try rig.frontEnd.saveState()
        #expect(Array(state[0..<8]) == Array("vTCPmigr".utf8))
        #expect(Self.number(UInt32.self, state, at: 8) == 1)
        #expect(Self.number(UInt64.self, state, at: 16) == UInt64(state.count))
        #expect(Self.number(UInt64.self, state, at: state.count - 8) == Self.checksum(Array(state.dropLast(8))))
        let sections = Self.sections(state)
        #expect(sections.map(\.type) == [1, 2, 3])
        #expect(sections.map(\.flags) == [1, 0, 0])
        #expect(sections[0].payload == [1, 0, 0, 0, 0x28, 0x23, 0, 0, 0x52, 0x54, 0, 0xaa, 0xbb, 0xcc, 0, 0])
        #expect(Self.encode(sections) == state)
      }
    }

    // MARK: What is refused

    @Test("A state that is damaged, too short, too long or not of this version is refused; a good one is taken then")
    func damaged() throws {
      try Rig.runNegotiated { (rig) throws in
        let good = try rig.frontEnd.saveState()
        let frontEnd = rig.frontEnd
        for place in Array(0..<40) + Array(stride(from: 40, to: good.count, by: 37)) + [good.count - 1] {
          var bad = good
          bad[place] ^= 0x10
          #expect(try frontEnd.loadState(bad) == 1, "octet \(place)")
        }
        for count in [0, 1, 8, 23, 24, 25, 31, 32, good.count - 8, good.count - 1] {
          #expect(try frontEnd.loadState(Array(good.prefix(count))) == 1, "\(count) octets")
        }
        #expect(try frontEnd.loadState(good + [0]) == 1)
        let sections = Self.sections(good)
        let nic = sections[0]
        let wrong: [(String, [UInt8])] = [
          ("version", Self.encode(sections, version: 2)), ("version 0", Self.encode(sections, version: 0)),
          ("count", Self.encode(sections, count: 4)), ("count", Self.encode(sections, count: 2)),
          ("length", Self.encode(sections, extra: 8)), ("length", Self.encode(sections, extra: -8)),
          ("twice", Self.encode(sections + [nic])), ("no section", Self.encode([])),
          ("no NIC", Self.encode(Array(sections.dropFirst()))),
          ("must be understood", Self.encode([nic, Section(type: 0x777, flags: 1, payload: [1, 2, 3])])),
          ("flags", Self.encode([nic, Section(type: 0x777, flags: 2, payload: [])])),
          ("short NIC", Self.encode([Section(type: 1, flags: 1, payload: [1, 2])])),
          ("counters", Self.encode([nic, Section(type: 2, flags: 0, payload: FrontEnd.octets(UInt64.max))])),
          ("flows", Self.encode([nic, Section(type: 3, flags: 0, payload: [UInt8](repeating: 0xff, count: 20))])),
          ("huge", Array(good.prefix(16)) + FrontEnd.octets(UInt64(1) << 62)),
          ("larger than any may be", Array(good.prefix(16)) + FrontEnd.octets(UInt64(16 << 20) + 1)),
        ]
        for (what, state) in wrong { #expect(try frontEnd.loadState(state) == 1, "\(what)") }
        #expect(rig.nic.errors.waitForLine(containing: "the device state was not loaded"))
        // Sections that may be passed over are.
        #expect(try frontEnd.loadState(Self.encode([nic, Section(type: 0x777, flags: 0, payload: [1, 2, 3])])) == 0)
        #expect(try frontEnd.loadState(good) == 0)
        try rig.guest.start()
        try rig.checkTraffic()
      }
    }

    @Test("The state of a NIC with another MAC address, or a larger MTU, is refused")
    func otherNIC() throws {
      var state: [UInt8] = []
      try Rig.runNegotiated(Rig.Shape(arguments: ["--mac", "52:54:00:00:00:01", "--mtu", "9000"])) { (rig) throws in
        state = try rig.frontEnd.saveState()
        #expect(try rig.frontEnd.loadState(state) == 0)
      }
      for arguments in [["--mac", "52:54:00:00:00:02"], ["--mtu", "1500"]] {
        try Rig.runNegotiated(Rig.Shape(arguments: arguments)) { (rig) throws in
          #expect(try rig.frontEnd.loadState(state) == 1)
        }
      }
    }

    @Test("Requests that make no sense are refused with an answer, and nothing stays open")
    func requests() throws {
      try Rig.run { (rig) throws in
        let frontEnd = rig.frontEnd
        let (reader, writer) = try Descriptor.pipe()
        // A ring runs.
        #expect(try frontEnd.setDeviceState(FrontEnd.save, descriptors: [writer.number]) == 0x101)
        #expect(try frontEnd.setDeviceState(FrontEnd.load, descriptors: [reader.number]) == 0x101)
        #expect(try frontEnd.checkDeviceState() == 1)
        try rig.checkTraffic()
        try stop(rig)
        for (direction, phase) in [(2, 0), (0xff, 0), (0, 1), (1, 1)] as [(UInt32, UInt32)] {
          #expect(try frontEnd.setDeviceState(direction, phase: phase, descriptors: [writer.number]) == 0x101)
        }
        #expect(try frontEnd.setDeviceState(FrontEnd.save, descriptors: []) == 0x101)
        // What can't be waited for.
        #expect(try frontEnd.setDeviceState(FrontEnd.save, descriptors: [frontEnd.ram.descriptor.number]) == 0x101)
        #expect(try frontEnd.checkDeviceState() == 1)
        let before = try rig.nic.openDescriptors()
        for _ in 0..<1000 {
          #expect(try frontEnd.setDeviceState(FrontEnd.load, descriptors: [reader.number]) == 0x100)
          _ = try frontEnd.saveState()
        }
        #expect(try rig.nic.openDescriptors() <= before)
      }
    }

    @Test("A stream without an end is refused when it is asked for, and one that nobody reads holds up nothing")
    func slow() throws {
      try Rig.runNegotiated { (rig) throws in
        let frontEnd = rig.frontEnd
        let good = try frontEnd.saveState()
        let (reader, writer) = try Descriptor.pipe()
        #expect(try frontEnd.setDeviceState(FrontEnd.load, descriptors: [reader.number]) == 0x100)
        _ = good.prefix(100).withUnsafeBytes { write(writer.number, $0.baseAddress, $0.count) }
        #expect(try frontEnd.checkDeviceState() == 1)
        // Full from the start: the state goes out as room comes.
        let (slowReader, slowWriter) = try Descriptor.pipe()
        _ = fcntl(slowWriter.number, F_SETFL, O_NONBLOCK)
        let filler = [UInt8](repeating: 0xee, count: 4096)
        var filled = 0
        while write(slowWriter.number, filler, filler.count) > 0 { filled += filler.count }
        #expect(try frontEnd.setDeviceState(FrontEnd.save, descriptors: [slowWriter.number]) == 0x100)
        try rig.guest.start()
        try rig.checkTraffic()
        var part = [UInt8](repeating: 0, count: filled)
        #expect(read(slowReader.number, &part, filled) == filled)
        var arrived: [UInt8] = []
        while arrived.count < good.count, slowReader.wait(for: POLLIN, until: Deadline(after: 5)) {
          let count = read(slowReader.number, &part, part.count)
          arrived += part.prefix(max(count, 0))
        }
        #expect(arrived.count == good.count)
        #expect(try frontEnd.checkDeviceState() == 0)
        // A reader that goes away is no reason to end.
        try stop(rig)
        var ends = try FrontEnd.pipeEnds()
        ends.removeFirst()
        #expect(try frontEnd.setDeviceState(FrontEnd.save, descriptors: [ends[0].number]) == 0x100)
        #expect(try frontEnd.checkDeviceState() == 1)
      }
    }

    @Test("With --device-state=off it is not offered, and its requests are refused")
    func off() throws {
      try Rig.runNegotiated(Rig.Shape(arguments: ["--device-state=off"])) { (rig) throws in
        #expect(try rig.frontEnd.getProtocolFeatures() == ProtocolFeature.offered & ~ProtocolFeature.deviceState)
        #expect(try rig.frontEnd.checkDeviceState() != 0)
        let (_, writer) = try Descriptor.pipe()
        #expect(try rig.frontEnd.setDeviceState(FrontEnd.save, descriptors: [writer.number]) != 0x100)
      }
    }
  }
}
