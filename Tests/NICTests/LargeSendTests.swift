// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

extension NICTests {
  /// Frames beyond 64 KiB of a guest (BIG TCP), and an uplink that takes none.
  @Suite struct LargeSendTests {
    /// How the guest writes the length of a packet that 16 bits do not hold.
    enum Form: String, CaseIterable, Sendable {
      /// IPv4, total length 0: Linux 6.3.
      case ipv4
      /// IPv6, payload length 0: Linux 7.0.
      case ipv6
      /// The same with a hop-by-hop header: Linux 5.19 to 6.19.
      case jumbo
    }

    struct Send: Sendable {
      var builder: FrameBuilder
      var form: Form
      var gsoSize: Int

      init(_ form: Form, _ payload: Int, gsoSize: Int = 1448, port: UInt16 = 40000) {
        builder = FrameBuilder(form == .ipv4 ? .v4 : .v6, .tcp, payload: FrameBuilder.pattern(payload))
        builder.checksum = .partial
        builder.sourcePort = port
        self.form = form
        self.gsoSize = gsoSize
      }

      var frame: [UInt8] {
        var frame = builder.frame()
        let network = builder.ethernetLength
        let field = network + (form == .ipv4 ? 2 : 4)
        frame[field] = 0
        frame[field + 1] = 0
        guard form == .jumbo else { return frame }
        let length = frame.count - network - 40 + 8
        let octets = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) }
        frame.insert(contentsOf: [frame[network + 6], 0, 0xc2, 4] + octets, at: network + 40)
        frame[network + 6] = 0
        return frame
      }

      var header: NetworkHeader {
        var header = builder.header(gsoSize: gsoSize)
        if form == .jumbo { header.checksumStart += 8 }
        return header
      }
    }

    private static let features =
      Rig.plainFeatures | Feature.csum | Feature.hostTSO4 | Feature.hostTSO6 | Feature.hostECN

    /// Takes the pieces of one large send from the network and holds them against it.
    private func expect(_ send: Send, from network: Network) throws {
      var parts: [[UInt8]] = []
      var count = 0
      while count < send.builder.payload.count {
        let packet = try network.receive()
        let part = try FrameReader(packet.frame)
        #expect(packet.header.flags == NetworkHeader.needsChecksum)
        if part.payload.count > send.gsoSize {
          #expect(Int(packet.header.gsoSize) == send.gsoSize)
          #expect(packet.header.gsoType == (part.isVersion6 ? NetworkHeader.gsoTCP6 : NetworkHeader.gsoTCP4))
        } else {
          #expect(packet.header.gsoType == 0)
        }
        if count + part.payload.count < send.builder.payload.count {
          #expect(part.payload.count % send.gsoSize == 0)
          // No more segments would fit.
          #expect(part.packetLength + send.gsoSize > 65_535)
        }
        if !part.isVersion6 {
          #expect(part.identification == send.builder.identification &+ UInt16(count / send.gsoSize))
        }
        parts.append(try OffloadTests.completing(packet.frame, packet.header))
        count += part.payload.count
      }
      let whole = try FrameReader.reassemble(parts, mtu: 65_575)
      // Not the arrays themselves, which would be printed.
      let place = zip(whole, send.builder.payload).enumerated().first { $1.0 != $1.1 }?.offset
      #expect(
        place == nil && whole.count == send.builder.payload.count, "\(whole.count) octets, other from \(place ?? -1) on"
      )
    }

    @Test(
      "R63, R64: a frame of up to 512 KiB leaves in pieces of 64 KiB at most, in each wire form",
      arguments: Form.allCases,
      ["off", "limit", "snoop", "early,always"])
    func forms(form: Form, acceleration: String) throws {
      let shape = Rig.Shape(
        features: Self.features, options: .init(size: 256, indirect: true), arguments: ["--vtcp", acceleration])
      try Rig.run(shape) { (rig) throws in
        for payload in [66_000, 131_072, 523_000] {
          let send = Send(form, payload)
          try rig.guest.transmit(
            send.frame, header: send.header, split: [12, 60] + Array(repeating: 32_768, count: 16))
          try expect(send, from: rig.network)
          try rig.guest.reclaim(1)
        }
        #expect(try rig.counter("splitFrames", of: "queue 1 transmit") == 3)
        #expect(try rig.counter("splitPieces", of: "queue 1 transmit") == rig.counter("frames", of: "queue 1 transmit"))
        #expect(try rig.counter("splitRefused", of: "queue 1 transmit") == 0)
      }
    }

    @Test(
      "An uplink that is full in the middle of a large send gets the rest later: nothing lost, doubled or reordered",
      arguments: DriverQueue.Layout.allCases, ["off", "early,always"])
    func fullUplink(layout: DriverQueue.Layout, acceleration: String) throws {
      let shape = Rig.Shape(
        features: Self.features, options: .init(layout: layout, size: 256), arguments: ["--vtcp", acceleration],
        uplinkBuffer: 150_000)
      try Rig.run(shape) { (rig) throws in
        let sends = (0..<6).map { Send(Form.allCases[$0 % 3], 200_000 + 60_000 * $0, port: UInt16(41_000 + $0)) }
        for (number, send) in sends.enumerated() {
          try rig.guest.enqueue(Rig.frame(number))
          try rig.guest.enqueue(send.frame, header: send.header, split: [12, 200_000])
        }
        rig.guest.transmitQueues[0].kickIfNeeded()
        try rig.synchronize()
        for (number, send) in sends.enumerated() {
          #expect(try Rig.number(of: rig.network.receive().frame) == number)
          try expect(send, from: rig.network)
        }
        try rig.guest.reclaim(12)
        #expect(try rig.counter("waits", of: "queue 1 transmit") > 0)
        #expect(try rig.counter("splitFrames", of: "queue 1 transmit") == 6)
        #expect(try rig.network.poll() == nil)
      }
    }

    @Test("Datagrams are handed on at most 64 at once, as many as any kernel takes", arguments: [64, 65, 200])
    func datagrams(count: Int) throws {
      try Rig.run(Rig.Shape(features: Self.features | Feature.hostUSO)) { (rig) throws in
        var builder = FrameBuilder(.v4, .udp, payload: FrameBuilder.pattern(100 * count - 1))
        builder.checksum = .partial
        try rig.guest.transmit(builder.frame(), header: builder.header(gsoSize: 100))
        var payload: [UInt8] = []
        for first in stride(from: 0, to: count, by: 64) {
          let packet = try rig.network.receive()
          let part = try FrameReader(packet.frame)
          #expect(part.payload.count == 100 * min(64, count - first) - (count - first <= 64 ? 1 : 0))
          // One datagram asks for nothing.
          #expect(packet.header.gsoType == (count - first > 1 ? NetworkHeader.gsoUDP : 0))
          payload += part.payload
        }
        #expect(payload == builder.payload)
        try rig.guest.reclaim(1)
        #expect(try rig.counter("splitFrames", of: "queue 1 transmit") == (count > 64 ? 1 : 0))
      }
    }

    @Test("Danger 58: segments of 8 octets of a large send leave turn by turn, and other frames after them")
    func tinySegments() throws {
      try Rig.run(Rig.Shape(features: Self.features, uplinkBuffer: 150_000)) { (rig) throws in
        // 65,000 segments: each piece still takes as many as fit.
        let send = Send(.ipv4, 520_000, gsoSize: 8)
        try rig.guest.enqueue(send.frame, header: send.header)
        try rig.guest.transmit(Rig.frame(1))
        try expect(send, from: rig.network)
        #expect(try Rig.number(of: rig.network.receive().frame) == 1)
        try rig.guest.reclaim(2)
      }
    }

    @Test("R71: what is larger than any request, asks for nothing, or has SYN is dropped and counted")
    func refusals() throws {
      try Rig.run(Rig.Shape(features: Self.features)) { (rig) throws in
        let tooLarge = Send(.ipv4, 524_280 + 256 - 65)
        try rig.guest.transmit(tooLarge.frame, header: tooLarge.header)
        let plain = Send(.ipv4, 70_000)
        try rig.guest.transmit(plain.frame)
        var opening = Send(.ipv4, 70_000)
        opening.builder.flags = 0x12
        try rig.guest.transmit(opening.frame, header: opening.header)
        var reset = Send(.jumbo, 70_000)
        reset.builder.flags = 0x14
        try rig.guest.transmit(reset.frame, header: reset.header)
        // It names the checksum as if the hop-by-hop header were not there.
        let elsewhere = Send(.jumbo, 70_000)
        try rig.guest.transmit(elsewhere.frame, header: elsewhere.builder.header(gsoSize: 1448))
        try rig.guest.transmit(Rig.frame(9))
        try rig.guest.reclaim(6)
        #expect(try Rig.number(of: rig.network.receive().frame) == 9)
        #expect(try rig.counter("badLength", of: "queue 1 transmit") == 2)
        #expect(try rig.counter("splitRefused", of: "queue 1 transmit") == 2)
        #expect(try rig.counter("badOffload", of: "queue 1 transmit") == 1)
      }
    }

    @Test("What is left of a large send is forgotten with the ring: it starts anew, whole")
    func ringStopped() throws {
      try Rig.run(Rig.Shape(features: Self.features, uplinkBuffer: 150_000)) { (rig) throws in
        let send = Send(.ipv6, 500_000)
        try rig.guest.transmit(send.frame, header: send.header)
        try rig.synchronize()
        let base = try rig.frontEnd.getVringBase(1)
        while try rig.network.poll(timeout: 0.05) != nil {}
        try rig.frontEnd.startVring(1, rig.guest.queue(1), base: base)
        try expect(send, from: rig.network)
        try rig.guest.reclaim(1)
      }
    }
  }
}
