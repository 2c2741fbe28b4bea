// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension NICTests {
  @Suite struct MessageTests {
    /// A payload of the right form for `request`, that changes nothing that matters.
    private func payload(of request: UInt32, rig: Rig) -> (octets: [UInt8], descriptors: [Int32]) {
      switch Request(rawValue: request) {
      case .setFeatures: (FrontEnd.octets(rig.guest.features), [])
      case .setProtocolFeatures: (FrontEnd.octets(ProtocolFeature.offered), [])
      case .setMemoryTable:
        (
          FrontEnd.memoryTable(rig.frontEnd.ram.regions),
          [Int32](repeating: rig.frontEnd.ram.descriptor.number, count: 2)
        )
      case .setVringNumber: (FrontEnd.vringState(0, 256), [])
      case .setVringBase, .getVringBase: (FrontEnd.vringState(0, 0), [])
      case .setVringAddress:
        (FrontEnd.vringAddress(0, descriptors: 0, used: 0, available: 0), [])
      case .setVringKick, .setVringCall, .setVringError: (FrontEnd.octets(UInt64(0x100)), [])
      case .setVringEnable: (FrontEnd.vringState(0, 0), [])
      case .netSetMTU: (FrontEnd.octets(UInt64(1500)), [])
      case .addMemoryRegion, .removeMemoryRegion: (FrontEnd.memoryRegion(rig.frontEnd.ram.regions[0]), [])
      case .sendRARP, .setStatus, .setLogBase, .setLogDescriptor: (FrontEnd.octets(UInt64(0)), [])
      default: ([], [])
      }
    }

    @Test(
      "Each request is answered exactly as often as is due, and the next one is understood",
      arguments: 0...60 as ClosedRange<UInt32>, [false, true])
    func everyRequest(number: UInt32, needsReply: Bool) throws {
      // A front-end that knows nothing of them may not ask for what belongs to protocol features that do not exist.
      try Rig.runNegotiated { (rig) throws in
        let (octets, descriptors) = payload(of: number, rig: rig)
        let flags = FrontEnd.version | (needsReply ? FrontEnd.needReply : 0)
        try rig.frontEnd.send(number, flags: flags, payload: octets, descriptors: descriptors)
        let known = Request(rawValue: number)
        let carriedOut: Set<Request> = [
          .getFeatures, .getProtocolFeatures, .getVringBase, .getQueueNumber, .getMaximumMemorySlots, .getStatus,
          .setLogBase, .setDeviceState, .checkDeviceState,
        ]
        if needsReply || known?.hasReply == true {
          let reply = try rig.frontEnd.receive()
          #expect(reply.request == number)
          #expect(reply.flags == 5)
          // One that was not carried out, and would have had a reply, is answered emptily.
          #expect(reply.payload.count == (needsReply || known.map(carriedOut.contains) == true ? 8 : 0))
          if known == nil || number == 0 { #expect(reply.number != 0) }
        }
        #expect(try rig.frontEnd.getFeatures() == Feature.offered)
      }
    }

    @Test("Requests of protocol features that were not negotiated are refused and harm nothing")
    func gated() throws {
      try Rig.runNegotiated { (rig) throws in
        try rig.frontEnd.setProtocolFeatures(ProtocolFeature.replyAck)
        let gated: [Request] = [
          .sendRARP, .netSetMTU, .setBackEndChannel, .resetDevice, .addMemoryRegion, .removeMemoryRegion, .setStatus,
          .setLogBase, .setInflight, .setDeviceState, .checkDeviceState, .iotlb, .setConfig, .postcopyAdvise,
        ]
        for request in gated {
          let (octets, descriptors) = payload(of: request.rawValue, rig: rig)
          #expect(
            try rig.frontEnd.acknowledgement(request, payload: octets, descriptors: descriptors) != 0, "\(request)")
        }
        #expect(try rig.frontEnd.getFeatures() == Feature.offered)
      }
    }

    @Test("Traffic goes on while a message arrives octet by octet")
    func octetByOctet() throws {
      try Rig.run { (rig) throws in
        var number = 0
        for message in [FrontEnd.encode(1), FrontEnd.encode(15), FrontEnd.encode(1)] {
          for octet in message {
            try rig.frontEnd.sendRaw([octet])
            if number % 4 == 0 { try rig.checkTraffic(number: number) }
            number += 1
          }
          #expect(try rig.frontEnd.receive().payload.count == 8)
        }
      }
    }

    @Test("Two messages in one write are two messages, and a descriptor goes to the one it came with")
    func together() throws {
      try Rig.run { (rig) throws in
        let fresh = try Event()
        let first = FrontEnd.encode(Request.setVringCall.rawValue, payload: FrontEnd.octets(UInt64(1)))
        try rig.frontEnd.sendRaw(first + FrontEnd.encode(1) + FrontEnd.encode(15), descriptors: [fresh.number])
        #expect(try rig.frontEnd.receive().request == 1)
        #expect(try rig.frontEnd.receive().request == 15)
        try rig.guest.transmit(Rig.frame(1))
        #expect(fresh.wait() > 0)
      }
    }

    @Test("A message that is half there holds up nothing but itself", arguments: [1, 11, 12, 13, 19])
    func half(count: Int) throws {
      try Rig.run { (rig) throws in
        let message = FrontEnd.encode(Request.setStatus.rawValue, payload: FrontEnd.octets(UInt64(0xf)))
        try rig.frontEnd.sendRaw(Array(message.prefix(count)))
        for number in 0..<10 { try rig.checkTraffic(number: number) }
        try rig.frontEnd.sendRaw(Array(message.dropFirst(count)))
        #expect(try rig.frontEnd.getStatus() == 0xf)
      }
    }

    @Test("A payload that is too short or too long for its request is refused", arguments: Request.allCases)
    func wrongSize(request: Request) throws {
      let sizeless: Set<Request> = [
        .getFeatures, .setOwner, .resetOwner, .getProtocolFeatures, .getQueueNumber, .resetDevice, .setBackEndChannel,
        .getMaximumMemorySlots, .getStatus, .postcopyAdvise, .postcopyListen, .postcopyEnd, .checkDeviceState,
      ]
      guard !sizeless.contains(request) else { return }
      try Rig.run { (rig) throws in
        for size in [0, 1, 7, 9, 39, 41, 200] {
          let payload = [UInt8](repeating: 0, count: size)
          try rig.frontEnd.send(request.rawValue, flags: 9, payload: payload)
          let reply = try rig.frontEnd.answer(to: request)
          if reply.payload.count == 8, request != .getVringBase { #expect(reply.number != 0, "size \(size)") }
        }
        #expect(try rig.frontEnd.getFeatures() == Feature.offered)
      }
    }

    @Test("A request with a reply of its own that is refused gets an empty one: nobody is left waiting")
    func emptyReply() throws {
      try Rig.runNegotiated { (rig) throws in
        try rig.frontEnd.setProtocolFeatures(0)
        let refused: [(Request, [UInt8])] = [
          (.getVringBase, []), (.getVringBase, [0]), (.getVringBase, [UInt8](repeating: 0, count: 9)),
          (.getMaximumMemorySlots, []), (.getStatus, []), (.getConfig, [UInt8](repeating: 0, count: 12)),
          (.getInflight, []), (.checkDeviceState, []), (.getSharedMemoryConfig, []), (.postcopyEnd, []),
        ]
        for (request, payload) in refused {
          try rig.frontEnd.send(request.rawValue, payload: payload)
          #expect(try rig.frontEnd.answer(to: request).payload.isEmpty, "\(request)")
        }
        #expect(try rig.frontEnd.getFeatures() == Feature.offered)
        #expect(try rig.counter("refused", of: "front-end") == refused.count)
        #expect(rig.lines(with: "was not carried out") == refused.count)
      }
    }

    @Test("RESET_OWNER disables the rings and forgets nothing: enabled again they go on", arguments: [0, 1])
    func resetOwner(round: Int) throws {
      try Rig.run { (rig) throws in
        try rig.checkTraffic()
        try rig.frontEnd.resetOwner()
        try rig.synchronize()
        for number in 10..<14 { try rig.guest.transmit(Rig.frame(number)) }
        try rig.guest.reclaim(4)
        #expect(try rig.network.poll() == nil)
        #expect(try rig.counter("disabled", of: "queue 1 transmit") == 4)
        if round == 0 {
          try rig.frontEnd.enable(0..<2)
        } else {
          // What vhost programs of old did: everything anew.
          for index in 0..<2 as Range<UInt32> { _ = try rig.frontEnd.getVringBase(index) }
          rig.guest.forget(pair: 0)
          try rig.guest.start()
        }
        try rig.checkTraffic(number: 20)
      }
    }

    @Test("RESET_DEVICE stops the rings and takes the features back, and the driver can start again")
    func reset() throws {
      try Rig.run { (rig) throws in
        for round in 0..<3 {
          try rig.checkTraffic(number: round)
          for index in 0..<2 as Range<UInt32> { _ = try rig.frontEnd.getVringBase(index) }
          try rig.frontEnd.setStatus(0)
          try rig.frontEnd.resetDevice()
          #expect(try rig.frontEnd.getStatus() == 0)
          for region in rig.frontEnd.ram.regions { try rig.frontEnd.removeMemoryRegion(region) }
          rig.guest.forget(pair: 0)
          try rig.guest.start()
        }
        try rig.checkTraffic()
      }
    }

    @Test("A stopped ring is not touched; GET_VRING_BASE says where it stands and it goes on from there")
    func stop() throws {
      try Rig.run { (rig) throws in
        for number in 0..<5 { try rig.checkTraffic(number: number) }
        let base = try rig.frontEnd.getVringBase(1)
        #expect(base == 5)
        try rig.guest.transmit(Rig.frame(77))
        try rig.network.send(Rig.frame(1))
        try rig.synchronize()
        #expect(try rig.guest.transmitQueues[0].collectUsed().isEmpty)
        #expect(try rig.network.poll(timeout: 0.05) == nil)
        try rig.frontEnd.startVring(1, rig.guest.transmitQueues[0], base: base)
        #expect(try Rig.number(of: rig.network.receive().frame) == 77)
      }
    }

    @Test("A disabled transmitq is drained and its frames are thrown away; enabled again it sends")
    func disabled() throws {
      try Rig.run { (rig) throws in
        try rig.frontEnd.setVringEnable(1, false)
        for number in 0..<4 { try rig.guest.transmit(Rig.frame(number)) }
        try rig.guest.reclaim(4)
        try rig.frontEnd.setVringEnable(1, true)
        try rig.guest.transmit(Rig.frame(9))
        #expect(try Rig.number(of: rig.network.receive().frame) == 9)
      }
    }

    @Test("While one pair's receiveq is stopped, the other pair gets the frames of all flows", arguments: [0, 2])
    func stoppedPair(stopped: UInt32) throws {
      try Rig.run(Rig.Shape(pairs: 2)) { (rig) throws in
        let other = stopped == 0 ? 1 : 0
        for pair in 0..<2 { try rig.guest.post(32, lengths: [2048], pair: pair) }
        _ = try rig.frontEnd.getVringBase(stopped)
        for flow in 0..<16 {
          var builder = FrameBuilder(.v4, .udp, payload: [UInt8](repeating: 0, count: 40))
          builder.sourcePort = UInt16(40000 + flow)
          try rig.network.send(builder.frame())
        }
        for _ in 0..<16 { _ = try rig.guest.receive(pair: other, timeout: 2) }
      }
    }
  }
}
