// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension NICTests {
  @Suite struct AccelerationTests {
    private static let segmentSize = 1000
    /// Sequence numbers of the first octets.
    private static let ours: UInt32 = 1001
    private static let theirs: UInt32 = 0xffff_f001

    /// A connection that the guest has made, whose other end is the network.
    private struct Connection {
      let rig: Rig
      /// The queue pair that the guest has it on.
      var pair = 0

      /// Octets that the network has sent.
      var sent = 0

      private func segment(_ flags: UInt8, isReply: Bool, payload: [UInt8] = []) -> FrameBuilder {
        var builder = FrameBuilder(.v4, .tcp, payload: payload)
        (builder.flags, builder.isReply, builder.window, builder.options) = (flags, isReply, 65535, [])
        let next = theirs &+ UInt32(sent)
        (builder.sequence, builder.acknowledgment) = isReply ? (next, ours) : (ours, next)
        return builder
      }

      func open() throws {
        var first = segment(2, isReply: false)
        var answer = segment(0x12, isReply: true)
        (first.sequence, first.acknowledgment, first.options) = (ours &- 1, 0, [2, 4, 3, 0xe8])
        (answer.sequence, answer.options) = (theirs &- 1, [2, 4, 3, 0xe8])
        try fromGuest(first)
        try toGuest(answer)
        try fromGuest(segment(0x10, isReply: false))
      }

      private func fromGuest(_ segment: FrameBuilder) throws {
        try rig.guest.transmit(segment.frame(), pair: pair)
        try rig.guest.reclaim(1, pair: pair)
        let arrived = try FrameReader(rig.network.receive().frame)
        #expect(arrived.acknowledgment == segment.acknowledgment)
      }

      private func toGuest(_ segment: FrameBuilder) throws {
        try rig.guest.post(1, lengths: [2048], pair: pair)
        try rig.network.send(segment.frame())
        #expect(try rig.guest.receive(pair: pair).frame == segment.frame())
      }

      /// The network sends a segment, and the guest may have buffers for it.
      mutating func send() throws -> [UInt8] {
        let data = FrameBuilder.pattern(segmentSize, seed: sent)
        try rig.network.send(segment(0x10, isReply: true, payload: data).frame())
        sent += segmentSize
        return data
      }

      /// The guest has and acknowledges the first segment; what follows may be acknowledged in its name.
      mutating func begin() throws {
        try rig.guest.post(1, lengths: [2048], pair: pair)
        let data = try send()
        #expect(try FrameReader(rig.guest.receive(pair: pair).frame).payload == data)
        try fromGuest(segment(0x10, isReply: false))
      }
    }

    /// A frame with data behind the first segment came to the guest. It acknowledges nothing, so on a slow machine its data come again.
    private static func take(_ frame: FrameReader, into arrived: inout [UInt8], of expected: [UInt8]) throws {
      let place = Int(frame.sequence &- theirs &- UInt32(segmentSize))
      try #require(place <= arrived.count)
      #expect(expected[place...].starts(with: frame.payload))
      if place == arrived.count { arrived += frame.payload }
    }

    @Test(
      "A guest that does not run holds up nobody: its data are acknowledged and kept, and it gets everything when it runs",
      arguments: DriverQueue.Layout.allCases, [Rig.plainFeatures, Rig.plainFeatures | Rig.receiveOffloads])
    func sleeping(layout: DriverQueue.Layout, features: UInt64) throws {
      let options = DriverQueue.Options(layout: layout, size: 64)
      try Rig.run(Rig.Shape(features: features, options: options, arguments: ["--vtcp", "early,always"])) { rig in
        var connection = Connection(rig: rig)
        try connection.open()
        try connection.begin()
        var expected: [UInt8] = []
        let strangers = [10, 20, 21]
        for number in 0..<40 {
          expected += try connection.send()
          // Frames of others in between wait.
          if strangers.contains(number) { try rig.network.send(Rig.frame(number)) }
        }
        let end = Self.theirs &+ UInt32(connection.sent)
        while try FrameReader(rig.network.receive().frame).acknowledgment != end {}

        var arrived: [UInt8] = []
        var others: [Int] = []
        var frames = 0
        while arrived.count < expected.count || others.count < strangers.count {
          frames += 1
          try #require(frames <= 100, "the same comes again and again")
          try rig.guest.post(1, lengths: [65536])
          let frame = try FrameReader(rig.guest.receive().frame)
          if frame.transport == .udp {
            others.append(try Rig.number(of: frame.frame))
          } else {
            try Self.take(frame, into: &arrived, of: expected)
          }
        }
        #expect(arrived == expected)
        #expect(others == strangers)
      }
    }

    /// Sends frames of strangers until the uplink takes no more; returns how many it took.
    private func fillUplink(_ rig: Rig) throws -> Int {
      var sent = 0
      var refusals = 0
      while sent < 5000, refusals < 20 {
        if rig.network.trySend(Rig.frame(sent)) {
          sent += 1
          refusals = 0
        } else {
          refusals += 1
          usleep(2000)
        }
      }
      #expect(sent < 5000, "the uplink is read without end though nothing can be delivered")
      return sent
    }

    @Test(
      "While the guest has no buffers others' frames are read only if something is held, and none is lost",
      arguments: DriverQueue.Layout.allCases)
    func backlog(layout: DriverQueue.Layout) throws {
      let options = DriverQueue.Options(layout: layout, size: 64)
      try Rig.run(Rig.Shape(options: options, arguments: ["--vtcp", "early,always"], uplinkBuffer: 16384)) { rig in
        let waiting = try fillUplink(rig)
        for number in 0..<waiting {
          try rig.guest.post(1, lengths: [2048])
          #expect(try Rig.number(of: rig.guest.receive().frame) == number)
        }
        var connection = Connection(rig: rig)
        try connection.open()
        try connection.begin()
        let data = try connection.send()
        let end = Self.theirs &+ UInt32(connection.sent)
        while try FrameReader(rig.network.receive().frame).acknowledgment != end {}
        let read = try fillUplink(rig)
        #expect(read > 4 * waiting, "\(waiting) frames wait in the uplink, \(read) were read")
        try rig.guest.post(1, lengths: [2048])
        #expect(try FrameReader(rig.guest.receive().frame).payload == data)
        var number = 0
        var repeats = 0
        while number < read {
          try rig.guest.post(1, lengths: [2048])
          let frame = try FrameReader(rig.guest.receive().frame)
          // The guest acknowledges nothing: its data come again.
          guard frame.transport == .udp else {
            repeats += 1
            #expect(frame.payload == data)
            try #require(repeats <= 20, "the same comes again and again")
            continue
          }
          #expect(try Rig.number(of: frame.frame) == number)
          number += 1
        }
      }
    }

    @Test(
      "A SYN that grows while the guest has no buffers waits for them behind what came before", arguments: [0, 2, 6])
    func grownWhileAsleep(padding: Int) throws {
      let policy = try PolicyText("default mode=early leastRoundTrip=0 addOptions=maximumSegmentSize")
      try Rig.run(Rig.Shape(arguments: ["--vtcp", "early", "--policy", policy.path])) { rig in
        var connection = Connection(rig: rig)
        try connection.open()
        try connection.begin()
        _ = try connection.send()
        while try FrameReader(rig.network.receive().frame).acknowledgment != Self.theirs &+ UInt32(connection.sent) {}
        try rig.network.send(Rig.frame(1))
        var syn = FrameBuilder(.v4, .tcp, payload: [])
        (syn.flags, syn.isReply, syn.destinationPort, syn.options) = (2, true, 7, [])
        try rig.network.send(syn.frame() + [UInt8](repeating: 0, count: padding))
        try rig.network.send(Rig.frame(2))
        syn.options = [2, 4, 5, 180]
        var others: [[UInt8]] = []
        var frames = 0
        while others.count < 3 {
          frames += 1
          try #require(frames <= 100, "the same comes again and again")
          try rig.guest.post(1, lengths: [2048])
          let frame = try rig.guest.receive().frame
          let reader = try FrameReader(frame)
          if reader.transport == .udp || reader.flags & 2 != 0 { others.append(frame) }
        }
        #expect(
          others == [Rig.frame(1), syn.frame() + [UInt8](repeating: 0, count: max(0, padding - 4)), Rig.frame(2)])
      }
    }

    @Test(
      "Of several queue pairs a connection may have any; what the NIC sends for it comes there too", arguments: 0..<4)
    func queuePairs(pair: Int) throws {
      try Rig.run(Rig.Shape(pairs: 4, arguments: ["--vtcp", "early,always"])) { rig in
        var connection = Connection(rig: rig, pair: pair)
        try connection.open()
        try connection.begin()
        var expected: [UInt8] = []
        for _ in 0..<8 { expected += try connection.send() }
        let end = Self.theirs &+ UInt32(connection.sent)
        while try FrameReader(rig.network.receive().frame).acknowledgment != end {}
        var arrived: [UInt8] = []
        var frames = 0
        while arrived.count < expected.count {
          frames += 1
          try #require(frames <= 40, "the same comes again and again")
          try rig.guest.post(1, lengths: [2048], pair: pair)
          try Self.take(FrameReader(rig.guest.receive(pair: pair).frame), into: &arrived, of: expected)
        }
        #expect(arrived == expected)
      }
    }

    @Test("A driver that resets the device can't be given what it is owed: the other end gets a reset at once")
    func deviceReset() throws {
      try Rig.run(Rig.Shape(arguments: ["--vtcp", "early,always"])) { rig in
        var connection = Connection(rig: rig)
        try connection.open()
        try connection.begin()
        for _ in 0..<4 { _ = try connection.send() }
        let end = Self.theirs &+ UInt32(connection.sent)
        while try FrameReader(rig.network.receive().frame).acknowledgment != end {}
        try rig.frontEnd.resetDevice()
        let reset = try FrameReader(rig.network.receive().frame)
        #expect(reset.flags & 4 != 0)
        #expect(reset.sequence == Self.ours)
      }
    }
  }
}
