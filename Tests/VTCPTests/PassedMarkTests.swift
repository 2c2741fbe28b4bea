// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import TCPPolicy
import Testing

@testable import Simulation
@testable import VTCP

@Suite("RFC 3168: with the algorithm none, marks are for the sender's own control")
struct PassedMarkTests {
  private static let (ece, cwr) = (ModelSegment.ece, ModelSegment.cwr)

  /// Both ends have agreed on ECN, and what the guest sends is acknowledged early; up to 4,100 is on its way.
  private func rig(_ algorithm: CongestionAlgorithm = .none) throws -> ModuleRig {
    let rig = try ModuleRig {
      $0.flow.congestionAlgorithm = algorithm
      $0.flow.isPaced = false
    }
    try rig.openAndTalk {
      if $0.has(ModelSegment.syn) { $0.flags |= $0.has(ModelSegment.ack) ? Self.ece : Self.ece | Self.cwr }
    }
    _ = try rig.guest(at: 100, 1000, ack: 100)
    _ = try rig.network(at: 100, ack: 1100)
    for place in stride(from: 1100, to: 4100, by: 1000) { _ = try #require(try rig.guest(at: place, 1000, ack: 100)) }
    #expect(rig.view?.transmit.state == .accelerated)
    _ = try rig.emissions(to: .guest)
    return rig
  }

  /// What the guest is told when the network acknowledges: whether it echoes a mark.
  private func echoes(_ rig: ModuleRig, _ ack: Int, isMarked: Bool) throws -> Bool {
    let passed = try rig.network(at: 100, ack: ack) { if isMarked { $0.flags |= Self.ece } }
    let told = try rig.emissions(to: .guest) + (passed.map { [$0] } ?? [])
    return told.contains { $0.has(Self.ece) }
  }

  private func sends(_ rig: ModuleRig, _ place: Int, saysReduced: Bool = false) throws -> ModelSegment {
    let passed = try rig.guest(at: place, 1000, ack: 100) { if saysReduced { $0.flags |= Self.cwr } }
    return try #require(passed)
  }

  @Test("The guest hears of a mark until it says CWR, which goes to the receiver, and no more of the same mark")
  func passesOn() throws {
    let rig = try rig()
    #expect(try echoes(rig, 2100, isMarked: true))
    // Nobody has slowed down yet: the receiver is not told so.
    #expect(try !sends(rig, 4100).has(Self.cwr))
    #expect(try rig.emissions(to: .guest).allSatisfy { $0.has(Self.ece) })
    let answer = try sends(rig, 5100, saysReduced: true)
    #expect(answer.has(Self.cwr))
    #expect(try rig.emissions(to: .guest).allSatisfy { !$0.has(Self.ece) })
    #expect(try !sends(rig, 6100).has(Self.cwr))
    // The receiver goes on until it has that segment.
    #expect(try !echoes(rig, 4100, isMarked: true))
    #expect(try !echoes(rig, 5100, isMarked: true))
    #expect(try !echoes(rig, 6100, isMarked: false))
    // A new mark.
    #expect(try echoes(rig, 7100, isMarked: true))
  }

  @Test("CWR of what waits in the buffer leaves with the next new data")
  func waits() throws {
    let rig = try rig()
    _ = try rig.network(at: 100, ack: 4100, window: 500) { $0.flags |= Self.ece }
    #expect(
      try rig.emissions(to: .guest).contains { $0.has(Self.ece) }
        || rig.after.count > 47 && rig.after[47] & Self.ece != 0)
    #expect(try rig.guest(at: 4100, 1000, ack: 100) { $0.flags |= Self.cwr } == nil)
    _ = try rig.emissions(to: .guest)
    #expect(try rig.emissions(to: .network).allSatisfy { $0.payloadCount <= 500 })
    _ = try rig.network(at: 100, ack: 4100, window: 20_000) { $0.flags |= Self.ece }
    #expect(try rig.emissions(to: .guest).allSatisfy { !$0.has(Self.ece) })
    let sent = try rig.emissions(to: .network).filter { $0.payloadCount > 0 }
    #expect(sent.count { $0.has(Self.cwr) } <= 1)
    #expect(try !echoes(rig, 4100, isMarked: true))
  }

  @Test("With an algorithm of ours it is ours to answer, and the guest hears nothing")
  func answers() throws {
    let rig = try rig(.cubic)
    #expect(try !echoes(rig, 2100, isMarked: true))
    #expect(try sends(rig, 4100).has(Self.cwr))
  }

  @Test("A loss is no reason to say CWR where nobody slows down for it")
  func losses() throws {
    let rig = try rig()
    for _ in 0..<4 { _ = try rig.network(at: 100, ack: 1100) }
    #expect(try rig.emissions(to: .network).contains { $0.payloadCount > 0 })
    #expect(try !sends(rig, 4100).has(Self.cwr))
  }

  @Test(
    "Towards the guest, whose receiver has no control of ours by default, the network hears of marks until it says CWR")
  func receive() throws {
    let rig = try rig(.cubic)
    _ = try rig.network(at: 100, 1000, ack: 4100)
    _ = try rig.guest(at: 4100, ack: 1100)
    let passed = try rig.network(at: 1100, 1000, ack: 4100) { $0.ecn = 3 }
    #expect(rig.view?.receive.state == .accelerated && passed?.ecn == 3)
    func answers(_ ack: Int, isMarked: Bool) throws -> Bool {
      let answer = try rig.guest(at: 4100, ack: ack) { if isMarked { $0.flags |= Self.ece } }
      let told = try rig.emissions(to: .network) + (answer.map { [$0] } ?? [])
      return told.contains { $0.has(Self.ece) }
    }
    #expect(try answers(2100, isMarked: true))
    let reduced = try #require(try rig.network(at: 2100, 1000, ack: 4100) { $0.flags |= Self.cwr })
    #expect(reduced.has(Self.cwr))
    // The guest has not got it yet.
    #expect(try !answers(2100, isMarked: true))
    #expect(try !answers(3100, isMarked: false))
  }
}
