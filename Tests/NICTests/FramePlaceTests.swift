// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

extension NICTests {
  /// Where frames lie in memory, and which of them pass.
  @Suite struct FramePlaceTests {
    @Test(
      "One buffer may lie in two regions that adjoin for the guest only", arguments: DriverQueue.Layout.allCases,
      [1, 11, 12, 13, 26, 27, 500])
    func acrossRegions(layout: DriverQueue.Layout, before: UInt64) throws {
      let border: UInt64 = 0x80_0000
      try Rig.run(Rig.Shape(options: .init(layout: layout, size: 64), border: border)) { (rig) throws in
        let ram = rig.frontEnd.ram
        let frame = Rig.frame(7, payload: 1000)
        ram.write(NetworkHeader().octets(12) + frame, at: border - before)
        let transmit = rig.guest.transmitQueues[0]
        try transmit.add([.init(address: border - before, length: UInt32(frame.count + 12), isWritable: false)])
        transmit.kickIfNeeded()
        #expect(try rig.network.receive().frame == frame)
        #expect(try transmit.collectUsed(1)[0].length == 0)
        ram.write([UInt8](repeating: 0, count: 4096), at: border - 2048)
        let receive = rig.guest.receiveQueues[0]
        try receive.add([.init(address: border - before, length: 2048, isWritable: true)])
        receive.kickIfNeeded()
        try rig.network.send(frame)
        #expect(try receive.collectUsed(1)[0].length == UInt32(frame.count + 12))
        #expect(ram.read(at: border - before + 12, count: frame.count) == frame)
      }
    }

    @Test("Two descriptors may point to the same octets")
    func sameOctets() throws {
      try Rig.run { (rig) throws in
        let ram = rig.frontEnd.ram
        let address = try ram.allocate(4096)
        let head = Rig.frame(1)
        ram.write(NetworkHeader().octets(12) + head, at: address)
        let body = DriverQueue.Element(address: address + 100, length: 40, isWritable: false)
        let whole = DriverQueue.Element(address: address, length: UInt32(12 + head.count), isWritable: false)
        ram.write(FrameBuilder.pattern(40), at: address + 3000)
        var twice = body
        twice.address = address + 3000
        try rig.guest.transmitQueues[0].add([whole, twice, twice])
        rig.guest.transmitQueues[0].kickIfNeeded()
        let frame = try rig.network.receive().frame
        #expect(frame == head + FrameBuilder.pattern(40) + FrameBuilder.pattern(40))
      }
    }

    @Test("With --mac only the guest's own frames go out, and only those to it, to groups or to all come in")
    func address() throws {
      let own: [UInt8] = [0x52, 0x54, 0, 0x12, 0x34, 0x56]
      try Rig.run(Rig.Shape(arguments: ["--mac", "52:54:00:12:34:56"])) { (rig) throws in
        var builder = FrameBuilder(.v4, .udp, payload: FrameBuilder.pattern(100))
        try rig.guest.transmit(builder.frame())
        builder.source = own
        builder.destination = [0x52, 0x54, 0, 9, 9, 9]
        try rig.guest.transmit(builder.frame())
        #expect(try rig.network.receive().frame == builder.frame())
        try rig.guest.reclaim(2)
        try rig.guest.post(8, lengths: [2048])
        builder.source = [0x52, 0x54, 0, 8, 8, 8]
        try rig.network.send(builder.frame())
        for destination in [own, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0x33, 0x33, 0, 0, 0, 1]] {
          builder.destination = destination
          try rig.network.send(builder.frame())
          #expect(try rig.guest.receive().frame == builder.frame())
        }
      }
    }

    @Test("Frames that are no frames are dropped, and their buffers come back", arguments: [0, 1, 13])
    func noFrames(count: Int) throws {
      try Rig.run { (rig) throws in
        try rig.guest.transmit([UInt8](repeating: 0xff, count: count))
        try rig.guest.transmit(Rig.frame(1))
        #expect(try rig.network.receive().frame == Rig.frame(1))
        try rig.guest.reclaim(2)
      }
    }

    @Test(
      "A frame of any Ethernet type passes both ways unread", arguments: [0x0806, 0x88cc, 0x0004, 0xffff] as [UInt16])
    func anyType(type: UInt16) throws {
      try Rig.run { (rig) throws in
        let addresses: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0, 1, 2, 3]
        let frame = addresses + FrontEnd.octets(type.byteSwapped) + FrameBuilder.pattern(46)
        try rig.guest.transmit(frame)
        #expect(try rig.network.receive().frame == frame)
        try rig.guest.post(1, lengths: [2048])
        try rig.network.send(frame)
        #expect(try rig.guest.receive().frame == frame)
      }
    }
  }
}
