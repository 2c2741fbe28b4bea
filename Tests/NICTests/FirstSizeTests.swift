// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

extension NICTests {
  /// The guest's module asks how large a packet it may hand over, and is answered in the ring.
  @Suite struct FirstSizeTests {
    private enum Kind: UInt8 {
      case question = 1
      case announcement, report, invitation
    }

    private static let number: [UInt8] = [9, 8, 7, 6, 5, 4, 3, 2]
    /// Without an interface to ask, and 1500 octets: four times 45 segments of 1448 and all but an octet of one more; of IPv6, of 1428.
    private static let sizes = big(262_087) + big(258_467)

    private static func big(_ number: UInt32) -> [UInt8] { FrontEnd.octets(number.bigEndian) }

    private static func message(_ kind: Kind, number: [UInt8] = number, sizes: [UInt8] = big(65_536) + big(65_536))
      -> [UInt8]
    {
      let head: [UInt8] =
        [0x01, 0x80, 0xc2, 0, 0, 0x0e, 2, 0, 0, 0, 0, 1, 0x88, 0xb5, 0x76, 0x54, 0x6c, 0x73, 1, kind.rawValue, 0, 0]
      let octets = head + number + sizes
      return octets + [UInt8](repeating: 0, count: 60 - octets.count)
    }

    private func run(
      _ options: DriverQueue.Options = .init(), _ arguments: [String] = ["--large-send=262144"],
      _ body: (Rig) throws -> Void
    ) throws {
      try Rig.run(Rig.Shape(options: options, arguments: arguments), body)
    }

    private func ask(_ rig: Rig, split: [Int] = []) throws {
      try rig.guest.transmit(Self.message(.question), split: split)
      try rig.guest.reclaim(1)
    }

    /// What the guest gets next is of this kind, with its number and the sizes.
    private func expect(_ kind: Kind, _ number: [UInt8], from rig: Rig) throws {
      let frame = try rig.guest.receive().frame
      #expect(frame.count == 60 && frame[12...19] == Self.message(kind)[12...19])
      #expect([UInt8](frame[22..<30]) == number)
      if kind == .announcement { #expect([UInt8](frame[30..<38]) == Self.sizes) }
    }

    @Test(
      "A ring that starts invites to ask; who asks is told, and nothing of it leaves",
      arguments: DriverQueue.Layout.allCases)
    func told(layout: DriverQueue.Layout) throws {
      try run(.init(layout: layout, size: 64)) { rig in
        try rig.guest.post(4, lengths: [2048])
        try expect(.invitation, [UInt8](repeating: 0, count: 8), from: rig)
        for split in [[], [12], [3, 20], [40]] {
          try ask(rig, split: split)
          try expect(.announcement, Self.number, from: rig)
          try rig.guest.post(1, lengths: [2048])
        }
        try rig.guest.transmit(Self.message(.report, sizes: Self.sizes))
        try rig.guest.reclaim(1)
        try rig.checkTraffic()
      }
    }

    @Test("Questions without buffers are answered once, when there are some")
    func withoutBuffers() throws {
      try run { rig in
        for _ in 0..<100 { try ask(rig) }
        try rig.guest.post(3, lengths: [2048])
        // The first waits for buffers since the ring started.
        try expect(.invitation, [UInt8](repeating: 0, count: 8), from: rig)
        try expect(.announcement, Self.number, from: rig)
        try rig.checkTraffic()
      }
    }

    @Test("What is not said by the module, or cut short, passes like any frame")
    func others() throws {
      try run { rig in
        try rig.guest.post(1, lengths: [2048])
        _ = try rig.guest.receive()
        var other = Self.message(.question)
        other[14] = 0x77
        for frame in [other, [UInt8](Self.message(.question).prefix(59)), [UInt8](Self.message(.question).prefix(14))] {
          try rig.guest.transmit(frame)
          #expect(try rig.network.receive().frame == frame)
          try rig.guest.reclaim(1)
        }
      }
    }

    @Test("What only a NIC says is taken from no guest, and answered to none")
    func reversed() throws {
      try run { rig in
        try rig.guest.post(1, lengths: [2048])
        _ = try rig.guest.receive()
        for kind in [Kind.announcement, .invitation] {
          try rig.guest.transmit(Self.message(kind))
          try rig.guest.reclaim(1)
        }
        try rig.checkTraffic()
      }
    }

    @Test("Without the option a question is a frame like any other, and no ring invites")
    func off() throws {
      try run(.init(), []) { rig in
        try rig.guest.post(1, lengths: [2048])
        try rig.guest.transmit(Self.message(.question))
        #expect(try rig.network.receive().frame == Self.message(.question))
        try rig.guest.reclaim(1)
        try rig.checkTraffic()
      }
    }
  }
}
