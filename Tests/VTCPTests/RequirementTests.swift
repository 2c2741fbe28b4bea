// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import Memory
import TCPPolicy
import Testing
import Timekeeping
import Wire

@testable import Simulation
@testable import VTCP

/// Requirements of docs/compliance.md that no figure shows, by number.
@Suite("Requirements, one by one")
struct RequirementTests {
  /// A connection with 18 segments of 400 octets for the network, which wait for its window, and then go as the rest of policy lets them.
  private func waiting(_ change: (inout FlowConfiguration) -> Void) throws -> ModuleRig {
    let rig = try ModuleRig {
      $0.flow.congestionAlgorithm = .newReno
      $0.flow.isPaced = false
      change(&$0.flow)
    }
    try rig.openAndTalk { $0.maximumSegmentSize = 400 }
    _ = try rig.guest(at: 100, 10, ack: 100)
    _ = try rig.network(at: 100, ack: 110, window: 0)
    for place in 0..<9 { #expect(try rig.guest(at: 110 + 800 * place, 800, ack: 100) == nil) }
    return rig
  }

  @Test(
    "R5, R12, R45: the network sees the initial window that policy says, whatever the guest sends",
    arguments: [1, 3, 10])
  func initialWindow(segments: Int) throws {
    let rig = try waiting { $0.initialCongestionWindow = UInt16(segments) }
    _ = try rig.network(at: 100, ack: 110, window: 20_000)
    let sent = try rig.emissions(to: .network)
    #expect(sent.map(\.payloadCount) == [Int](repeating: 400, count: segments))
  }

  @Test(
    "R12: below the threshold that policy says the window doubles, above it grows by a segment, in each round trip",
    arguments: [(.max, [2, 4, 8]), (1600, [2, 4, 5])] as [(UInt32, [Int])])
  func threshold(octets: UInt32, expected: [Int]) throws {
    let rig = try waiting {
      $0.initialCongestionWindow = 2
      $0.slowStartThreshold = octets
    }
    _ = try rig.network(at: 100, ack: 110, window: 20_000)
    var rounds: [Int] = []
    var next = try rig.emissions(to: .network).count
    var end = 110
    for _ in expected {
      rounds.append(next)
      next = 0
      rig.tick(10)
      for _ in 0..<(rounds.last ?? 0) {
        end += 400
        _ = try rig.network(at: 100, ack: end)
        next += try rig.emissions(to: .network).count
      }
    }
    #expect(rounds == expected)
  }

  @Test(
    "R20: what is not TCP passes as it is, whatever connection's addresses and ports it has", arguments: [true, false])
  func otherProtocols(fromGuest: Bool) throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    _ = try rig.emissions(to: .network)
    func passes(_ change: @escaping (ByteRegion) -> Void) -> Bool {
      rig.passesUnchanged(fromGuest: fromGuest, at: 600, 500) {
        change($0)
        return $1
      }
    }
    // ICMP, IP in IP, UDP, IPv6 in IP, GRE, ESP, AH, SCTP, and what nobody has assigned.
    for number in [1, 4, 17, 41, 47, 50, 51, 132, 253] as [UInt8] {
      #expect(passes { $0.store(number, at: 23) }, "protocol \(number)")
    }
    for type in [0x0806, 0x88b5, 0x88cc] as [UInt16] { #expect(passes { $0.storeNetworkOrder(type, at: 12) }) }
    #expect(rig.module.flowCount == 1)
    #expect(rig.view?.receive.owned == 500)
    #expect(try rig.emissions(to: .network).isEmpty)
    #expect(try rig.emissions(to: .guest).isEmpty)
  }

  @Test("R29: a full buffer turns early acknowledgment off, and room in it on again; both are counted")
  func fullBuffer() throws {
    let rig = try ModuleRig {
      $0.flow.receiveBufferSize = 4_000
      $0.chunkLimit = 1
    }
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    let before = rig.module.counters
    var passed = 0
    for packet in 1..<10 { passed += try rig.network(at: 100 + 500 * packet, 500, ack: 100) == nil ? 0 : 1 }
    #expect(rig.view?.receive.reason == .bufferFull)
    #expect(rig.module.counters.drains == before.drains + 1)
    let told = try rig.emissions(to: .network).map { rig.acknowledged($0, to: .network) }
    #expect(told == [4100])
    // What found no room went on all the same, and the receiver's word counts for it.
    #expect(passed == 9)
    let own = try rig.guest(at: 100, ack: 5100)
    #expect(own.map { rig.acknowledged($0, to: .network) } == 5100)
    _ = try rig.network(at: 5100, 500, ack: 100)
    #expect(rig.view?.receive.state == .accelerated)
    #expect(rig.module.counters.accelerations == before.accelerations + 1)
    #expect(try rig.emissions(to: .network).map { rig.acknowledged($0, to: .network) } == [5600])
  }

  @Test("R31: behind a gap data pass, the receiver asks for what is missing, and its SACK blocks are its own")
  func gap() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk { $0.permitsSACK = true }
    _ = try rig.network(at: 100, 500, ack: 100)
    _ = try rig.emissions(to: .network)
    #expect(try rig.network(at: 1100, 500, ack: 100)?.payloadCount == 500)
    #expect(rig.view?.receive.reason == .outOfOrder)
    #expect(try rig.emissions(to: .network).isEmpty)
    // Before the receiver has what is owed, and then.
    for place in [100, 600] {
      let asked = try rig.guest(at: 100, ack: place) {
        $0.blocks = [(ModuleRig.networkStart &+ 1101, ModuleRig.networkStart &+ 1601)]
      }
      #expect(asked.map { rig.acknowledged($0, to: .network) } == 600)
      #expect(asked.map { rig.blocks($0, to: .network) } == [1100..<1600])
    }
    // The gap is filled: then all is as before.
    #expect(try rig.network(at: 600, 500, ack: 100)?.payloadCount == 500)
    _ = try rig.guest(at: 100, ack: 1600)
    _ = try rig.network(at: 1600, 500, ack: 100)
    #expect(rig.view?.receive.state == .accelerated)
    #expect(try rig.emissions(to: .network).map { rig.acknowledged($0, to: .network) } == [2100])
  }

  @Test(
    "R33: a receiver that is not heard for as many timeouts as policy says, and 100 seconds, is given up, and both ends are reset",
    arguments: [2, 12])
  func givenUp(timeouts: Int) throws {
    let rig = try ModuleRig { $0.flow.maximumTimeouts = UInt8(timeouts) }
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    _ = try rig.emissions(to: .network)
    let start = rig.now
    var sent = 0
    while rig.module.counters.resets == 0, let deadline = rig.module.nextDeadline {
      sent += try rig.emissions(to: .guest).count
      rig.tick(max(1, (deadline.nanoseconds + 999_999) / 1_000_000 - rig.now))
    }
    for leg in [Leg.guest, .network] { #expect(try rig.emissions(to: leg).map { $0.has(ModelSegment.rst) } == [true]) }
    #expect(sent >= timeouts)
    // RFC 9293, section 3.8.3.
    #expect(rig.now - start > 100_000)
    #expect(rig.module.counters.resets == 1)
    #expect(rig.module.counters.lostOctets == 500)
    #expect(rig.module.heldChunks == 0)
  }

  @Test(
    "R37: towards the guest a connection has a congestion window if policy says so, else what the guest's window lets go",
    arguments: ReceiveRecovery.allCases)
  func receiveRecovery(recovery: ReceiveRecovery) throws {
    let rig = try ModuleRig {
      $0.flow.receiveRecovery = recovery
      $0.flow.initialCongestionWindow = 2
      $0.flow.isPaced = false
    }
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    _ = try rig.guest(at: 100, ack: 600, window: 0)
    for packet in 0..<9 { #expect(try rig.network(at: 600 + 1000 * packet, 1000, ack: 100) == nil) }
    _ = try rig.guest(at: 100, ack: 600, window: 20_000)
    let sent = try rig.emissions(to: .guest).filter { $0.payloadCount > 0 }
    #expect(sent.count == (recovery == .full ? 2 : 9))
  }
}
