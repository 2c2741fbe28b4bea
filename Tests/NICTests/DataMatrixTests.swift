// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

extension NICTests {
  /// Every ring format with every kind of receive buffer and every ring feature: frames both ways, octet for octet.
  @Suite struct DataMatrixTests {
    enum Buffers: String, CaseIterable {
      case mergeable
      case bigChains
      case small
    }

    static let shapes: [Rig.Shape] = DriverQueue.Layout.allCases.flatMap { layout in
      Buffers.allCases.flatMap { buffers in
        [true, false].flatMap { isModern in variants(layout, buffers, isModern) }
      }
    }

    /// Legacy drivers know neither packed rings nor in-order use: those bits are beyond 31.
    static func variants(_ layout: DriverQueue.Layout, _ buffers: Buffers, _ isModern: Bool) -> [Rig.Shape] {
      guard isModern || layout == .split else { return [] }
      var found: [Rig.Shape] = []
      for bits in 0..<8 {
        let options = DriverQueue.Options(
          layout: layout, size: 64, indirect: bits & 1 != 0, eventIndex: bits & 2 != 0, inOrder: bits & 4 != 0)
        guard isModern || !options.inOrder else { continue }
        var shape = Rig.Shape(features: Feature.protocolFeatures, options: options)
        if isModern { shape.features |= Feature.version1 }
        if buffers == .mergeable { shape.features |= Feature.mergeableBuffers }
        if buffers == .bigChains { shape.features |= Feature.guestCsum | Feature.guestTSO4 }
        shape.flavour = isModern ? .qemu10 : .qemu7
        shape.name = [
          "\(layout)", buffers.rawValue, isModern ? "version 1" : "legacy", options.indirect ? "indirect" : "",
          options.eventIndex ? "event index" : "", options.inOrder ? "in order" : "",
        ].filter { !$0.isEmpty }.joined(separator: ", ")
        found.append(shape)
      }
      return found
    }

    private func lengths(_ rig: Rig) -> [Int] {
      if rig.guest.isMergeable { return [1536] }
      // As Linux does: a page for the header's descriptor and 16 more for up to 64 KiB, or one for a small frame.
      let isBig = rig.guest.features & Feature.guestTSO4 != 0
      return isBig
        ? [rig.guest.headerLength, 2048] + [Int](repeating: 4096, count: 16) : [rig.guest.headerLength, 1518]
    }

    /// Fewer with a sanitizer, in whose builds each takes ten times as long.
    static let frames: [[UInt8]] = (0..<(NICProcess.isSanitized ? 40 : 120)).map { number in
      FrameBuilder(
        .v4, number % 2 == 0 ? .tcp : .udp, payload: FrameBuilder.pattern([18, 0, 999, 1400][number % 4], seed: number)
      )
      .frame()
    }

    @Test("Frames go out of the guest whole, in order, and their buffers come back with length 0", arguments: shapes)
    func transmit(shape: Rig.Shape) throws {
      try Rig.run(shape) { (rig) throws in
        for start in stride(from: 0, to: Self.frames.count, by: 5) {
          for number in start..<start + 5 {
            let header = rig.guest.headerLength
            let split = [[], [header], [header, 14], [header - 3, 3, 20], [1, 1]][number % 5]
            try rig.guest.enqueue(Self.frames[number], split: split)
          }
          rig.guest.transmitQueues[0].kickIfNeeded()
          for number in start..<start + 5 {
            let packet = try rig.network.receive()
            #expect(packet.frame == Self.frames[number], "frame \(number)")
            #expect(packet.header.gsoType == 0 && packet.header.flags & 1 == 0)
          }
          try rig.guest.reclaim(5)
        }
      }
    }

    @Test("Frames come to the guest whole, in order, with used lengths and num_buffers as they are", arguments: shapes)
    func receive(shape: Rig.Shape) throws {
      try Rig.run(shape) { (rig) throws in
        try rig.guest.post(3, lengths: lengths(rig))
        for (number, frame) in Self.frames.enumerated() {
          try rig.network.send(frame)
          let received = try rig.guest.receive()
          #expect(received.frame == frame, "frame \(number)")
          #expect(received.lengths.reduce(0, +) == UInt32(frame.count + rig.guest.headerLength))
          #expect(received.lengths.count == 1)
          try rig.guest.post(1, lengths: lengths(rig))
        }
      }
    }

    @Test(
      "The header may lie over descriptors of any lengths, in both directions", arguments: 1...12,
      DriverQueue.Layout.allCases)
    func splitHeader(length: Int, layout: DriverQueue.Layout) throws {
      let shape = Rig.Shape(
        features: Feature.version1 | Feature.protocolFeatures, options: .init(layout: layout, size: 64))
      try Rig.run(shape) { (rig) throws in
        let pieces = [Int](repeating: length, count: (12 + length - 1) / length + 1)
        for number in 0..<5 {
          let frame = Rig.frame(number)
          try rig.guest.transmit(frame, split: pieces)
          #expect(try rig.network.receive().frame == frame)
          try rig.guest.reclaim(1)
          try rig.guest.post(1, lengths: pieces + [1518])
          try rig.network.send(frame)
          #expect(try rig.guest.receive().frame == frame)
        }
      }
    }

    @Test(
      "A frame longer than one mergeable buffer takes several, each full but the last",
      arguments: [200, 512, 1024, 1536], DriverQueue.Layout.allCases)
    func merged(size: Int, layout: DriverQueue.Layout) throws {
      let features = Rig.plainFeatures | Feature.guestCsum | Feature.guestTSO4
      try Rig.run(Rig.Shape(features: features, options: .init(layout: layout, inOrder: true))) { (rig) throws in
        for count in [100, size - 12 - 54, 1400, 9000, 30000] {
          var builder = FrameBuilder(.v4, .tcp, payload: FrameBuilder.pattern(count))
          builder.checksum = .partial
          let frame = builder.frame()
          let needed = (frame.count + 12 + size - 1) / size
          try rig.guest.post(needed, lengths: [size])
          try rig.network.send(.init(header: builder.header(gsoSize: count > 1400 ? 1400 : 0), frame: frame))
          let received = try rig.guest.receive()
          #expect(received.frame == frame)
          #expect(received.lengths.count == needed)
          #expect(received.lengths.dropLast().allSatisfy { $0 == UInt32(size) })
        }
      }
    }

    @Test("Either kind of uplink socket carries 64 KiB both ways", arguments: Network.Kind.allCases)
    func large(kind: Network.Kind) throws {
      var shape = Rig.Shape(uplink: kind)
      shape.features |= Feature.csum | Feature.hostTSO4 | Feature.guestCsum | Feature.guestTSO4
      try Rig.run(shape) { (rig) throws in
        var builder = FrameBuilder(.v4, .tcp, payload: FrameBuilder.pattern(65000))
        builder.checksum = .partial
        let packet = Network.Packet(header: builder.header(gsoSize: 1448), frame: builder.frame())
        try rig.guest.post(64, lengths: [2048])
        try rig.network.send(packet)
        let received = try rig.guest.receive()
        #expect(received.frame == packet.frame)
        #expect(received.header.gsoType == NetworkHeader.gsoTCP4 && received.header.gsoSize == 1448)
        try rig.guest.transmit(packet.frame, header: packet.header, split: [12, 4096, 4096, 32768])
        var parts: [[UInt8]] = []
        var count = 0
        while count < builder.payload.count {
          let part = try rig.network.receive()
          if part.header.gsoType != 0 {
            #expect(part == packet)
            return
          }
          parts.append(part.frame)
          count += try FrameReader(part.frame).payload.count
        }
        #expect(try FrameReader.reassemble(parts, mtu: 1500) == builder.payload)
      }
    }

    @Test("Frames of all queue pairs reach the network, and steering never reorders a flow")
    func pairs() throws {
      try Rig.run(Rig.Shape(pairs: 4)) { (rig) throws in
        for pair in 0..<4 { try rig.guest.post(64, lengths: [2048], pair: pair) }
        for number in 0..<40 {
          try rig.guest.transmit(Rig.frame(number), pair: number % 4)
          #expect(try Rig.number(of: rig.network.receive().frame) == number)
        }
        for number in 0..<160 {
          var builder = FrameBuilder(.v4, .udp, payload: FrontEnd.octets(UInt32(number)) + [0, 0])
          builder.sourcePort = UInt16(40000 + number % 16)
          try rig.network.send(builder.frame())
        }
        var last: [UInt16: Int] = [:]
        var found = 0
        let deadline = Deadline(after: 5)
        while found < 160, !deadline.hasPassed {
          for pair in 0..<4 {
            guard let received = try rig.guest.poll(pair: pair) else { continue }
            try rig.guest.post(1, lengths: [2048], pair: pair)
            let flow = UInt16(received.frame[34]) << 8 | UInt16(received.frame[35])
            let number = try Rig.number(of: received.frame)
            #expect(last[flow].map { $0 < number } ?? true)
            last[flow] = number
            found += 1
          }
        }
        #expect(found == 160)
      }
    }

    @Test("Frames that take hundreds of small buffers come whole and at once", arguments: DriverQueue.Layout.allCases)
    func smallBuffers(layout: DriverQueue.Layout) throws {
      try Rig.run(Rig.Shape(options: .init(layout: layout, size: 1024))) { (rig) throws in
        try rig.guest.post(1000, lengths: [64])
        // One frame in 939 buffers, then several that together are more than the rest.
        for payload in [60_000, 20_000, 20_000, 20_000] {
          let frame = Rig.frame(payload, payload: payload)
          try rig.network.send(frame)
          let received = try rig.guest.receive()
          #expect(received.frame == frame)
          #expect(received.lengths.count == (12 + frame.count + 63) / 64)
          try rig.guest.post(received.lengths.count, lengths: [64])
        }
      }
    }
  }
}
