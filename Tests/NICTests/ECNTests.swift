// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

extension NICTests {
  @Suite struct ECNTests {
    /// ECN is offered for the guest, and nothing is held from the handshake on.
    private static let policy = """
      configuration first ecn=offer
      configuration alone mode=off
      phases life first until=established alone
      rule configuration=life
      """

    private func segment(_ flags: UInt8, isReply: Bool, payload: [UInt8] = []) -> FrameBuilder {
      var builder = FrameBuilder(.v4, .tcp, payload: payload)
      let (ours, theirs): (UInt32, UInt32) = (1000, 5000)
      let begins = flags & 2 != 0
      (builder.flags, builder.isReply, builder.window, builder.options) = (flags, isReply, 65535, [])
      builder.sequence = (isReply ? theirs : ours) &+ (begins ? 0 : 1)
      builder.acknowledgment = flags & 0x10 == 0 ? 0 : (isReply ? ours : theirs) &+ 1
      return builder
    }

    @Test("CWR that a large send of the guest's gets is said to the uplink as well (VIRTIO_NET_HDR_GSO_ECN)")
    func largeSend() throws {
      let policy = try PolicyText(Self.policy)
      var shape = Rig.Shape(arguments: ["--vtcp", "early", "--policy", policy.path])
      shape.features |= Feature.csum | Feature.hostTSO4
      try Rig.run(shape) { rig in
        func fromGuest(_ builder: FrameBuilder, gsoSize: Int = 0) throws -> (flags: UInt8, packet: Network.Packet) {
          try rig.guest.transmit(builder.frame(), header: builder.header(gsoSize: gsoSize))
          try rig.guest.reclaim(1)
          let packet = try rig.network.receive()
          return (try FrameReader(packet.frame).flags, packet)
        }
        func toGuest(_ builder: FrameBuilder) throws -> UInt8 {
          try rig.guest.post(1, lengths: [2048])
          try rig.network.send(builder.frame())
          return try FrameReader(rig.guest.receive().frame).flags
        }
        #expect(try fromGuest(segment(2, isReply: false)).flags == 0xc2)
        #expect(try toGuest(segment(0x52, isReply: true)) == 0x12)
        #expect(try fromGuest(segment(0x10, isReply: false)).flags == 0x10)
        #expect(try toGuest(segment(0x50, isReply: true)) == 0x10)
        var data = segment(0x10, isReply: false, payload: FrameBuilder.pattern(3000))
        data.checksum = .partial
        for (flags, type) in [(0x90, NetworkHeader.gsoTCP4 | NetworkHeader.gsoECN), (0x10, NetworkHeader.gsoTCP4)] {
          let (seen, packet) = try fromGuest(data, gsoSize: 1000)
          #expect(seen == UInt8(flags) && packet.header.gsoType == type && packet.header.gsoSize == 1000)
          #expect(packet.frame.suffix(3000) == data.payload[...])
          data.sequence &+= 3000
        }
      }
    }
  }
}
