// SPDX-License-Identifier: Apache-2.0

import Arena
import Memory
import Testing
import Wire

@testable import Simulation
@testable import VTCP

// Handshakes that are not the usual one.

extension DangerTests {
  /// An exchange of 100 octets each way from these places on; then the network's next data are acknowledged early, or not.
  private func isAccelerated(_ rig: ModuleRig, guest: Int = 0, network: Int = 0) throws -> Bool {
    _ = try rig.guest(at: guest, 100, ack: network)
    _ = try rig.network(at: network, ack: guest + 100)
    _ = try rig.network(at: network, 100, ack: guest + 100)
    _ = try rig.guest(at: guest + 100, ack: network + 100)
    _ = try rig.emissions(to: .network)
    _ = try rig.network(at: network + 100, 500, ack: guest + 100)
    let told = try rig.emissions(to: .network).map { rig.acknowledged($0, to: .network) }
    #expect(told.isEmpty || told == [network + 600])
    return !told.isEmpty
  }

  @Test("27: data on a SYN are never ours, whether the other end takes them or not", arguments: [true, false])
  func fastOpen(isTaken: Bool) throws {
    let rig = try ModuleRig()
    let cookie: [UInt8] = [34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1]
    let passed = try rig.guest(ModelSegment.syn, at: 0, 100) { $0.extraOptions = cookie }
    #expect(passed?.payloadCount == 100)
    _ = try rig.network(ModelSegment.syn | ModelSegment.ack, ack: isTaken ? 100 : 0)
    #expect(try rig.emissions(to: .guest).isEmpty)
    #expect(rig.module.heldChunks == 0)
    _ = try rig.guest(at: 100)
    if !isTaken {
      #expect(try rig.guest(at: 0, 100)?.payloadCount == 100)
      #expect(try rig.emissions(to: .guest).isEmpty)
    }
    _ = try rig.network(ack: 100)
    // What follows may be.
    #expect(try rig.guest(at: 100, 400)?.payloadCount == 400)
    #expect(try rig.emissions(to: .guest).map { rig.acknowledged($0, to: .guest) } == [500])
  }

  @Test("32: a connection whose SYN has IP options passes for ever")
  func options() throws {
    let rig = try ModuleRig()
    let passes = rig.passesUnchanged(ModelSegment.syn, fromGuest: true) { frame, length in
      // Four octets of "no operation" behind the IP header, and the header's sum again (RFC 1624).
      for place in (34..<length).reversed() { frame.store(frame.load(UInt8.self, at: place), at: place + 4) }
      for (place, word) in [(14, 0x4600), (16, UInt16(length - 14 + 4)), (34, 0x0101), (36, 0x0101)] as [(Int, UInt16)]
      {
        let old = place < 34 ? frame.networkOrder(UInt16.self, at: place) : 0
        frame.storeNetworkOrder(word, at: place)
        let sum = frame.networkOrder(UInt16.self, at: 24)
        frame.storeNetworkOrder(InternetChecksum.update(sum, replacing: old, with: word), at: 24)
      }
      return length + 4
    }
    #expect(passes)
    #expect(rig.view?.passReason == .ipOptions)
    _ = try rig.network(ModelSegment.syn | ModelSegment.ack)
    _ = try rig.guest()
    #expect(try !isAccelerated(rig))
  }

  @Test("34: both ends open at once")
  func simultaneousOpen() throws {
    let rig = try ModuleRig()
    _ = try rig.guest(ModelSegment.syn)
    _ = try rig.network(ModelSegment.syn)
    _ = try rig.guest(ModelSegment.syn | ModelSegment.ack)
    _ = try rig.network(ModelSegment.syn | ModelSegment.ack)
    #expect(try isAccelerated(rig))
    #expect(rig.module.flowCount == 1)
  }

  @Test("34: SYNs that are sent again with other numbers: the last ones count, which are those that were acknowledged")
  func changedNumbers() throws {
    let rig = try ModuleRig()
    for number in [77, ModuleRig.guestStart] { _ = try rig.guest(ModelSegment.syn) { $0.sequence = number } }
    for number in [99, ModuleRig.networkStart] {
      _ = try rig.network(ModelSegment.syn | ModelSegment.ack) { $0.sequence = number }
    }
    _ = try rig.guest()
    #expect(try isAccelerated(rig))
  }

  @Test(
    "34: of a SYN that is sent again with other options nobody knows which one was seen: its connection passes for ever"
  )
  func changedOptions() throws {
    let rig = try ModuleRig()
    _ = try rig.guest(ModelSegment.syn) { $0.windowScale = 7 }
    _ = try rig.guest(ModelSegment.syn)
    _ = try rig.network(ModelSegment.syn | ModelSegment.ack) { $0.windowScale = 7 }
    _ = try rig.guest()
    #expect(try !isAccelerated(rig))
    #expect(rig.view?.passReason == .malformed)
  }

  @Test(
    "35: the next connection of the same ends begins when its SYN is answered; what is left of the one before changes nothing"
  )
  func nextConnection() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    _ = try rig.guest(at: 100, ack: 600)
    _ = try rig.guest(ModelSegment.syn) { $0.sequence = ModuleRig.guestStart &+ 100_000 }
    // Not answered yet: the old one goes on.
    _ = try rig.emissions(to: .network)
    _ = try rig.network(at: 600, 500, ack: 100)
    #expect(try rig.emissions(to: .network).map { rig.acknowledged($0, to: .network) } == [1100])
    _ = try rig.guest(at: 100, ack: 1100)
    _ = try rig.network(ModelSegment.syn | ModelSegment.ack, ack: 100_000) {
      $0.sequence = ModuleRig.networkStart &+ 50_000
    }
    _ = try rig.guest(at: 100_000, ack: 50_000)
    #expect(try isAccelerated(rig, guest: 100_000, network: 50_000))
    #expect(rig.module.flowCount == 1)
    // Nothing is kept for the one before.
    #expect(rig.module.store.sendings.inUse == 1)
    let held = rig.view?.receive.heldEnd
    _ = try rig.network(at: 1100, 500, ack: 100)
    _ = try rig.guest(at: 100, 500, ack: 1100)
    #expect(rig.view?.receive.heldEnd == held)
    #expect(rig.view?.receive.owned == 500)
    #expect(rig.view?.transmit.owned == 0)
  }
}
