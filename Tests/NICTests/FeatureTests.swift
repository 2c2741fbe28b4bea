// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

extension NICTests {
  @Suite struct FeatureTests {
    @Test(
      "What is offered is a constant: uplink, queues and command line change nothing in it",
      arguments: [[], ["--queues", "4"], ["--mtu", "9000"], ["--mac", "52:54:00:12:34:56"], ["--poll", "always"]])
    func constant(arguments: [String]) throws {
      try Rig.runNegotiated(Rig.Shape(arguments: arguments)) { (rig) throws in
        #expect(try rig.frontEnd.getFeatures() == Feature.offered)
        #expect(try rig.frontEnd.getProtocolFeatures() == 0x9a03f)
        #expect(ProtocolFeature.offered == 0x9a03f)
      }
    }

    @Test("GET_QUEUE_NUM answers with at least the pairs asked for", arguments: [1, 2, 8])
    func queues(pairs: Int) throws {
      try Rig.runNegotiated(Rig.Shape(arguments: ["--queues", "\(pairs)"])) { (rig) throws in
        #expect(try rig.frontEnd.getQueueNumber() >= UInt64(pairs))
      }
    }

    @Test("509 memory slots are offered")
    func slots() throws {
      try Rig.runNegotiated { (rig) throws in #expect(try rig.frontEnd.getMaximumMemorySlots() == 509) }
    }

    @Test("STATUS is what was last set, with FEATURES_OK cleared for features that were never offered")
    func status() throws {
      try Rig.runNegotiated { (rig) throws in
        #expect(try rig.frontEnd.getStatus() == 0)
        try rig.frontEnd.setFeatures(Rig.plainFeatures)
        try rig.frontEnd.setStatus(0x8)
        #expect(try rig.frontEnd.getStatus() == 0x8)
        try rig.frontEnd.setStatus(0xf)
        #expect(try rig.frontEnd.getStatus() == 0xf)
        try rig.frontEnd.setStatus(0)
        #expect(try rig.frontEnd.getStatus() == 0)
        try rig.frontEnd.setFeatures(Rig.plainFeatures | 1 << 60)
        try rig.frontEnd.setStatus(0x8)
        #expect(try rig.frontEnd.getStatus() & 0x8 == 0)
      }
    }

    @Test("Features that were not offered are refused with a non-zero acknowledgement")
    func refusal() throws {
      try Rig.runNegotiated { (rig) throws in
        for bad in [Rig.plainFeatures | 1 << 57, UInt64.max] {
          #expect(try rig.frontEnd.acknowledgement(.setFeatures, payload: FrontEnd.octets(bad)) != 0)
        }
        let good = FrontEnd.octets(Rig.plainFeatures)
        #expect(try rig.frontEnd.acknowledgement(.setFeatures, payload: good) == 0)
      }
    }

    @Test("An MTU that can be carried is taken, another refused")
    func mtu() throws {
      try Rig.runNegotiated { (rig) throws in
        for good: UInt64 in [68, 1280, 1500, 9000] { #expect(try rig.frontEnd.setMTU(good) == 0, "\(good)") }
        for bad: UInt64 in [0, 67, 65536, 1 << 32, .max] { #expect(try rig.frontEnd.setMTU(bad) != 0, "\(bad)") }
      }
    }

    @Test("Without protocol features SET_FEATURES alone enables the rings")
    func enabledAtOnce() throws {
      let features = Feature.version1 | Feature.mergeableBuffers
      try Rig.runNegotiated(Rig.Shape(features: features)) { (rig) throws in
        rig.frontEnd.protocolFeatures = 0
        try rig.guest.start()
        try rig.checkTraffic()
      }
    }

    @Test("SEND_RARP broadcasts a reverse ARP for the guest's address, unless the guest announces itself")
    func rarp() throws {
      let address: [UInt8] = [0x52, 0x54, 0, 0x12, 0x34, 0x56]
      try Rig.run { (rig) throws in
        try rig.frontEnd.sendRARP(address)
        let frame = try rig.network.receive().frame
        #expect(frame.count >= 42)
        #expect(Array(frame[0..<12]) == [UInt8](repeating: 0xff, count: 6) + address)
        // Type RARP; Ethernet, IPv4, 6, 4, "request reverse" (RFC 903).
        #expect(Array(frame[12..<22]) == [0x80, 0x35, 0, 1, 8, 0, 6, 4, 0, 3])
        #expect(Array(frame[22..<28]) == address)
        #expect(Array(frame[32..<38]) == address)
      }
      try Rig.run(Rig.Shape(features: Rig.plainFeatures | Feature.guestAnnounce)) { (rig) throws in
        try rig.frontEnd.sendRARP(address)
        try rig.checkTraffic()
      }
    }
  }
}
