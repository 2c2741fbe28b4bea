// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

extension NICTests {
  /// What one side does not take is done in software: the offered features never change with the uplink.
  @Suite struct OffloadTests {
    struct Traffic: Sendable, CustomTestStringConvertible {
      var internet: FrameBuilder.Internet
      var transport: FrameBuilder.Transport
      var payload: Int
      var gsoSize: Int
      var vlan: UInt16?

      var testDescription: String {
        "\(transport) over \(internet), \(payload) octets\(gsoSize > 0 ? " in parts of \(gsoSize)" : "")"
          + (vlan == nil ? "" : ", tagged")
      }

      var builder: FrameBuilder {
        var builder = FrameBuilder(internet, transport, payload: FrameBuilder.pattern(payload))
        builder.checksum = .partial
        builder.vlan = vlan
        return builder
      }
    }

    static let traffic: [Traffic] = FrameBuilder.Internet.allCases.flatMap { internet in
      FrameBuilder.Transport.allCases.flatMap { transport in
        [(1000, 0), (3, 0), (5000, 1400), (20001, 536), (60000, 1300)].flatMap { payload, gsoSize in
          [nil, 42 as UInt16?].map {
            Traffic(internet: internet, transport: transport, payload: payload, gsoSize: gsoSize, vlan: $0)
          }
        }
      }
    }

    static let guests: [(String, UInt64)] = [
      ("nothing", 0),
      ("checksums", Feature.guestCsum),
      ("TSO4", Feature.guestCsum | Feature.guestTSO4),
      ("TSO6", Feature.guestCsum | Feature.guestTSO6),
      ("USO4", Feature.guestCsum | Feature.guestUSO4 | Feature.guestTSO4 | Feature.guestTSO6),
      (
        "everything",
        Feature.guestCsum | Feature.guestTSO4 | Feature.guestTSO6 | Feature.guestECN | Feature.guestUSO4
          | Feature.guestUSO6
      ),
    ]

    /// Whether a guest with `features` takes this packet as one.
    static func takesWhole(_ traffic: Traffic, _ features: UInt64) -> Bool {
      guard traffic.gsoSize > 0 else { return true }
      let bit =
        switch (traffic.transport, traffic.internet) {
        case (.tcp, .v4): Feature.guestTSO4
        case (.tcp, .v6): Feature.guestTSO6
        case (.udp, .v4): Feature.guestUSO4
        case (.udp, .v6): Feature.guestUSO6
        }
      return features & bit != 0
    }

    @Test(
      "A guest sees only offloads that it negotiated; what it gets joins to what was sent", arguments: guests.indices)
    func toGuest(index: Int) throws {
      let features = Self.guests[index].1
      try Rig.run(Rig.Shape(features: Rig.plainFeatures | features, options: .init(size: 1024))) { (rig) throws in
        try rig.guest.post(400, lengths: [2048])
        for traffic in Self.traffic {
          let builder = traffic.builder
          try rig.network.send(.init(header: builder.header(gsoSize: traffic.gsoSize), frame: builder.frame()))
          var parts: [[UInt8]] = []
          var count = 0
          while count < traffic.payload {
            let received = try rig.guest.receive()
            try rig.guest.post(received.lengths.count, lengths: [2048])
            let part = try check(received, traffic, features)
            parts.append(part)
            count += try FrameReader(part).payload.count
          }
          let mtu = Self.takesWhole(traffic, features) ? 65535 : traffic.gsoSize + 200
          #expect(try joined(parts, mtu: mtu) == builder.payload, "\(traffic.testDescription)")
        }
      }
    }

    /// A frame as the guest would hand it up: its checksum completed, if it may be partial.
    private func check(_ received: MockGuest.Received, _ traffic: Traffic, _ features: UInt64) throws -> [UInt8] {
      let header = received.header
      if features & Feature.guestCsum == 0 { #expect(header.flags == 0, "\(traffic.testDescription)") }
      if !Self.takesWhole(traffic, features) || traffic.gsoSize == 0 {
        #expect(header.gsoType == 0, "\(traffic.testDescription)")
        #expect(header.gsoSize == 0)
      } else {
        #expect(header.gsoSize == UInt16(traffic.gsoSize))
        #expect(header.flags & NetworkHeader.needsChecksum != 0)
      }
      guard header.flags & NetworkHeader.needsChecksum != 0 else { return received.frame }
      return try OffloadTests.completing(received.frame, header)
    }

    /// The frame with its checksum worked out from csum_start on, as virtio 1.3, 5.1.6.2 has it.
    static func completing(_ frame: [UInt8], _ header: NetworkHeader) throws -> [UInt8] {
      let start = Int(header.checksumStart)
      let place = start + Int(header.checksumOffset)
      guard place + 2 <= frame.count else { throw TestFailure("csum_offset beyond the frame") }
      let sum = ~InternetSum.of(Array(frame[start...]))
      var whole = frame
      whole[place] = UInt8(sum >> 8)
      whole[place + 1] = UInt8(sum & 0xff)
      return whole
    }

    private func joined(_ parts: [[UInt8]], mtu: Int) throws -> [UInt8] {
      try FrameReader.reassemble(parts, mtu: mtu)
    }

    @Test("What a guest leaves undone is done before the network, or said to it", arguments: traffic)
    func fromGuest(traffic: Traffic) throws {
      let offloads =
        Feature.csum | Feature.hostTSO4 | Feature.hostTSO6 | Feature.hostECN | Feature.hostUSO
      try Rig.run(Rig.Shape(features: Rig.plainFeatures | offloads)) { (rig) throws in
        let builder = traffic.builder
        try rig.guest.transmit(
          builder.frame(), header: builder.header(gsoSize: traffic.gsoSize), split: [12, 60, 4096])
        var parts: [[UInt8]] = []
        var count = 0
        while count < traffic.payload {
          let packet = try rig.network.receive()
          let isPartial = packet.header.flags & NetworkHeader.needsChecksum != 0
          if packet.header.gsoType != 0 { #expect(isPartial && Int(packet.header.gsoSize) == traffic.gsoSize) }
          parts.append(isPartial ? try Self.completing(packet.frame, packet.header) : packet.frame)
          count += try FrameReader(packet.frame).payload.count
        }
        #expect(try FrameReader.reassemble(parts, mtu: 65535) == builder.payload)
        try rig.guest.reclaim(1)
      }
    }

    @Test("A TSO segment with CWR, PSH and FIN is cut so that only the first has CWR and only the last PSH and FIN")
    func flags() throws {
      try Rig.run(Rig.Shape(options: .init(size: 64))) { (rig) throws in
        try rig.guest.post(30, lengths: [2048])
        var builder = FrameBuilder(.v4, .tcp, payload: FrameBuilder.pattern(10000))
        builder.checksum = .partial
        builder.flags = 0x80 | 0x10 | 0x08 | 0x01
        var header = builder.header(gsoSize: 1000)
        header.gsoType |= NetworkHeader.gsoECN
        try rig.network.send(.init(header: header, frame: builder.frame()))
        let parts = try (0..<10).map { _ in try rig.guest.receive().frame }
        #expect(try FrameReader.reassemble(parts, mtu: 1500) == builder.payload)
        #expect(try FrameReader(parts[0]).flags == 0x90)
        #expect(try FrameReader(parts[9]).flags == 0x19)
        let identifications = try parts.map { try FrameReader($0).identification }
        #expect(identifications == (0..<10).map { builder.identification &+ UInt16($0) })
      }
    }

    @Test("A header from the network that makes no sense loses its frame and nothing else")
    func badNetworkHeaders() throws {
      try Rig.run { (rig) throws in
        try rig.guest.post(64, lengths: [2048])
        let builder = Traffic(internet: .v4, transport: .tcp, payload: 3000, gsoSize: 0, vlan: nil).builder
        for (type, size) in [(1, 0), (4, 1000), (5, 1000), (3, 1000), (0x7f, 1000), (1, 1), (1, 65535)]
          as [(UInt8, UInt16)]
        {
          var header = builder.header()
          header.gsoType = type
          header.gsoSize = size
          try rig.network.send(.init(header: header, frame: builder.frame()))
        }
        for (start, offset) in [(0xffff, 0xffff), (0xffff, 0), (0, 0xffff), (3000, 100)] as [(UInt16, UInt16)] {
          var header = builder.header()
          (header.checksumStart, header.checksumOffset) = (start, offset)
          try rig.network.send(.init(header: header, frame: builder.frame()))
        }
        for count in [1, 9, 10, 11, 23] { try rig.network.sendRaw([UInt8](repeating: 0xff, count: count)) }
        let last = Rig.frame(4711)
        try rig.network.send(last)
        var received = try rig.guest.receive()
        while received.frame != last {
          try rig.guest.post(received.lengths.count, lengths: [2048])
          received = try rig.guest.receive()
        }
      }
    }
  }
}
