// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

extension NICTests {
  /// SYNs that get a segment size on their way, by each way through the datapath.
  @Suite struct GrownSYNTests {
    /// A SYN, or the answer to one, whose connections are told apart by their ports.
    private func syn(
      _ internet: FrameBuilder.Internet, isReply: Bool, number: Int = 0, vlan: UInt16? = nil, size: Int? = nil
    ) -> FrameBuilder {
      var builder = FrameBuilder(internet, .tcp, payload: [])
      (builder.flags, builder.isReply, builder.vlan) = (2, isReply, vlan)
      builder.sourcePort = 40_000 + UInt16(number)
      builder.acknowledgment = 0
      builder.options = (size.map { [2, 4, UInt8($0 >> 8), UInt8($0 & 0xff)] } ?? []) + [3, 3, 7, 1]
      return builder
    }

    private func run(
      _ features: UInt64, _ options: DriverQueue.Options = .init(), policy: String = "", buffer: Int32 = 1 << 20,
      _ body: (Rig) throws -> Void
    ) throws {
      let file = try PolicyText("default addOptions=maximumSegmentSize \(policy)")
      let arguments = ["--vtcp", "early", "--policy", file.path]
      let shape = Rig.Shape(features: features, options: options, arguments: arguments, uplinkBuffer: buffer)
      try Rig.run(shape, body)
    }

    /// Those of IPv4 and IPv6, with and without a tag, and what a segment size of 1500 octets is for each.
    private static let kinds: [(internet: FrameBuilder.Internet, vlan: UInt16?, size: Int)] = [
      (.v4, nil, 1460), (.v6, nil, 1440), (.v4, 42, 1460), (.v6, 42, 1440),
    ]

    @Test(
      "From the guest, in whatever pieces it lies, with a checksum or a request for one",
      arguments: DriverQueue.Layout.allCases, [false, true])
    func fromGuest(layout: DriverQueue.Layout, isPartial: Bool) throws {
      try run(Rig.plainFeatures | Feature.csum, .init(layout: layout, size: 64)) { rig in
        var number = 0
        for kind in Self.kinds {
          for split in [[], [12], [5, 30], [60]] {
            number += 1
            var sent = syn(kind.internet, isReply: false, number: number, vlan: kind.vlan)
            var wanted = syn(kind.internet, isReply: false, number: number, vlan: kind.vlan, size: kind.size)
            if isPartial { (sent.checksum, wanted.checksum) = (.partial, .partial) }
            try rig.guest.transmit(sent.frame(), header: sent.header(), split: split)
            try rig.guest.reclaim(1)
            let packet = try rig.network.receive()
            #expect(packet.frame == wanted.frame())
            #expect(packet.header == wanted.header())
          }
        }
      }
    }

    @Test(
      "Many at once, among other frames, keep their places, also where the uplink has no room",
      arguments: [4096, 1 << 20])
    func many(buffer: Int32) throws {
      try run(Rig.plainFeatures, .init(size: 256), policy: "maximumSegmentSize=1000", buffer: buffer) { rig in
        var wanted: [[UInt8]] = []
        for number in 0..<120 {
          guard number % 3 > 0 else {
            wanted.append(Rig.frame(number, payload: 700))
            try rig.guest.enqueue(Rig.frame(number, payload: 700), split: [12, 300])
            continue
          }
          try rig.guest.enqueue(syn(.v4, isReply: false, number: number).frame())
          wanted.append(syn(.v4, isReply: false, number: number, size: 1000).frame())
        }
        rig.guest.transmitQueues[0].kickIfNeeded()
        try rig.synchronize()
        for frame in wanted { #expect(try rig.network.receive().frame == frame) }
      }
    }

    @Test(
      "To the guest, by way of private memory or straight to its buffers, whole or over several of them",
      arguments: DriverQueue.Layout.allCases, [Rig.plainFeatures, Rig.plainFeatures | Rig.receiveOffloads])
    func toGuest(layout: DriverQueue.Layout, features: UInt64) throws {
      try run(features, .init(layout: layout, size: 256)) { rig in
        var number = 0
        // The first buffer holds the SYN as it came, but not as it is, or a part of its headers; the others the largest frame.
        for first in [2048, 12 + 58, 12 + 40] {
          for kind in Self.kinds {
            number += 1
            try rig.guest.post(1, lengths: [first])
            try rig.guest.post(33, lengths: [2048])
            try rig.network.send(syn(kind.internet, isReply: true, number: number, vlan: kind.vlan).frame())
            let received = try rig.guest.receive()
            #expect(
              received.frame
                == syn(kind.internet, isReply: true, number: number, vlan: kind.vlan, size: kind.size).frame())
            #expect(received.lengths.count == (first < 2048 ? 2 : 1))
            // What comes behind it is what it was.
            let other = Rig.frame(number)
            try rig.network.send(other)
            #expect(try rig.guest.receive().frame == other)
            while rig.guest.receiveQueues[0].outstandingCount > 0 {
              try rig.network.send(other)
              #expect(try rig.guest.receive().frame == other)
            }
          }
        }
      }
    }

    @Test("A partial checksum is completed for a guest that can't, and left to one that can", arguments: [false, true])
    func partialToGuest(canComplete: Bool) throws {
      try run(Rig.plainFeatures | (canComplete ? Rig.receiveOffloads : 0)) { rig in
        for kind in Self.kinds {
          for count in [1, 40] {
            try rig.guest.post(count, lengths: [2048])
            var sent = syn(kind.internet, isReply: true, number: count, vlan: kind.vlan)
            var wanted = syn(kind.internet, isReply: true, number: count, vlan: kind.vlan, size: kind.size)
            sent.checksum = .partial
            if canComplete { wanted.checksum = .partial }
            try rig.network.send(.init(header: sent.header(), frame: sent.frame()))
            let received = try rig.guest.receive()
            #expect(received.frame == wanted.frame())
            #expect(received.header.flags == (canComplete ? NetworkHeader.needsChecksum : 0))
            #expect(received.header.checksumStart == (canComplete ? wanted.header().checksumStart : 0))
          }
        }
      }
    }

    @Test("One that has outgrown the buffers of a guest without merging is dropped; what fits comes")
    func tooSmall() throws {
      try run(Feature.version1 | Feature.protocolFeatures) { rig in
        try rig.guest.post(2, lengths: [12 + 58])
        try rig.network.send(syn(.v4, isReply: true).frame())
        var small = syn(.v4, isReply: true, number: 1)
        (small.flags, small.acknowledgment) = (0x10, 9)
        try rig.network.send(small.frame())
        #expect(try rig.guest.receive().frame == small.frame())
      }
    }
  }
}
