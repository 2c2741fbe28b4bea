// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import TCPPolicy
import Testing

@testable import Simulation
@testable import VTCP

@Suite("Mode snoop: the sender's window follows our congestion window, since it hears of no loss")
struct LimitingTests {
  private static let window: UInt16 = 50_000

  /// Segments of 1000 octets, of which the first four are on their way; the receiver has the first 100 octets of all, before them.
  private func begin(_ change: (inout FlowConfiguration) -> Void = { _ in }) throws -> ModuleRig {
    let rig = try ModuleRig {
      $0.flow.mode = .snoop
      $0.flow.initialCongestionWindow = 4
      change(&$0.flow)
    }
    try talk(rig, window: 4_000)
    // What had been shown at first is small.
    for number in 0..<4 { #expect(try rig.guest(at: 100 + 1000 * number, 1000, ack: 100) != nil) }
    return rig
  }

  /// The handshake and 100 octets each way, by a receiver that takes little at first.
  private func talk(_ rig: ModuleRig, window: UInt16, _ change: (inout ModelSegment) -> Void = { _ in }) throws {
    try rig.open {
      $0.window = window
      change(&$0)
    }
    _ = try rig.guest(at: 0, 100)
    _ = try rig.network(ack: 100, window: window)
    _ = try rig.network(at: 0, 100, ack: 100, window: window)
    _ = try rig.guest(at: 100, ack: 100)
    rig.tick(1)
  }

  private func room(_ segment: ModelSegment?, _ rig: ModuleRig) throws -> (acknowledged: Int, edge: Int) {
    let segment = try #require(segment)
    let acknowledged = rig.acknowledged(segment, to: .guest)
    return (acknowledged, acknowledged + Int(segment.window))
  }

  @Test("It is shown as much as our window lets go, not all that the receiver takes, and never less than before")
  func follows() throws {
    let rig = try begin()
    var edge = 0
    var number = 1
    // Slow start from four segments: one more for each that arrives.
    while number <= 4 {
      rig.tick(10)
      let shown = try room(rig.network(at: 100, ack: 100 + 1000 * number, window: Self.window), rig)
      #expect(shown.acknowledged == 100 + 1000 * number)
      #expect(shown.edge >= edge && shown.edge <= 100 + 1000 * (4 + 2 * number))
      edge = shown.edge
      number += 1
    }
    #expect(edge >= 100 + 1000 * 8)
    #expect(rig.view?.transmit.state == .holding)
  }

  @Test("Where the receiver takes less, it is the receiver's window that is shown")
  func receiverLimits() throws {
    let rig = try begin()
    let small = try #require(try rig.network(at: 100, ack: 1100, window: 1_500))
    #expect(small.window == 1_500)
    // It opens again, without news otherwise: that is no duplicate.
    let opened = try #require(try rig.network(at: 100, ack: 1100, window: 3_500))
    #expect(opened.window == 3_500)
    let shut = try #require(try rig.network(at: 100, ack: 2100, window: 0))
    #expect(shut.window == 0)
    #expect(try rig.network(at: 100, ack: 2100, window: 4_000)?.window == 4_000)
  }

  @Test("What the receiver's window does beyond ours is not told: to the sender it would be a duplicate")
  func updates() throws {
    let rig = try begin()
    _ = try rig.network(at: 100, ack: 1100, window: Self.window)
    for more in 1...5 as ClosedRange<UInt16> {
      #expect(try rig.network(at: 100, ack: 1100, window: Self.window + more &* 1000) == nil)
    }
    // Nothing is on its way: then there are no duplicates, and whoever asked is answered.
    _ = try rig.network(at: 100, ack: 4100, window: Self.window)
    #expect(try rig.network(at: 100, ack: 4100, window: Self.window) != nil)
  }

  @Test(
    "A loss is repaired here: the sender hears nothing of it, neither by duplicates nor by SACK, and gets half the window",
    arguments: [false, true])
  func loss(usesSACK: Bool) throws {
    let rig = try ModuleRig {
      $0.flow.mode = .snoop
      $0.flow.initialCongestionWindow = 10
      $0.flow.congestionAlgorithm = .newReno
    }
    try talk(rig, window: 10_000) { $0.permitsSACK = usesSACK }
    for number in 0..<10 { _ = try rig.guest(at: 100 + 1000 * number, 1000, ack: 100) }
    rig.tick(10)
    let before = try room(rig.network(at: 100, ack: 1100, window: Self.window), rig)
    // The second is lost; the eight behind it arrive.
    var resent: [Int] = []
    for number in 2..<10 {
      let passed = try rig.network(at: 100, ack: 1100, window: Self.window) {
        if usesSACK { $0.blocks = [Self.block(2100, 100 + 1000 * (number + 1))] }
      }
      // It may learn of more room, which is no duplicate; of a gap it may not.
      if let passed {
        #expect(passed.blocks.isEmpty)
        #expect(try room(passed, rig).edge > before.edge)
      }
      resent += try rig.emissions(to: .network).map { rig.place($0, to: .network) }
      rig.tick(1)
    }
    #expect(resent == [1100])
    rig.tick(10)
    let after = try room(rig.network(at: 100, ack: 10_100, window: Self.window), rig)
    #expect(after.acknowledged == 10_100)
    // Nine segments were on their way when the loss was found.
    #expect(after.edge - after.acknowledged >= 4_000 && after.edge - after.acknowledged <= 5_500)
  }

  @Test("A sender that was shown more than our window before hears of losses, and slows down by itself")
  func notYet() throws {
    let rig = try ModuleRig {
      $0.flow.mode = .snoop
      $0.flow.initialCongestionWindow = 2
    }
    // 20,000 octets.
    try rig.openAndTalk()
    for number in 0..<6 { _ = try rig.guest(at: 100 + 1000 * number, 1000, ack: 100) }
    rig.tick(10)
    _ = try rig.network(at: 100, ack: 1100)
    for _ in 0..<3 { #expect(try rig.network(at: 100, ack: 1100)?.window == 19_000) }
  }

  @Test("Without congestion control there is no window of ours, and losses are repaired in silence all the same")
  func unlimited() throws {
    let rig = try begin { $0.congestionAlgorithm = .none }
    #expect(try rig.network(at: 100, ack: 1100, window: Self.window)?.window == Self.window)
    for _ in 0..<3 { #expect(try rig.network(at: 100, ack: 1100, window: Self.window) == nil) }
    #expect(try rig.emissions(to: .network).map { rig.place($0, to: .network) } == [1100])
  }

  @Test("What was lost before it came here the sender is told in full, though what follows is held")
  func lostBefore() throws {
    let rig = try ModuleRig { $0.flow.mode = .snoop }
    try talk(rig, window: 20_000) { $0.permitsSACK = true }
    _ = try rig.network(at: 100, 500, ack: 100)
    // 600 to 1100 are missing; what follows is held from 1600 on.
    _ = try rig.network(at: 1100, 500, ack: 100)
    _ = try rig.network(at: 1600, 500, ack: 100)
    #expect(rig.view?.receive.state == .holding)
    let first = ModuleRig.networkStart &+ 1
    for _ in 0..<3 {
      let told = try #require(
        try rig.guest(at: 100, ack: 600) { $0.blocks = [(start: first &+ 1100, end: first &+ 2100)] })
      #expect(rig.blocks(told, to: .network) == [1100..<2100])
    }
  }

  private static func block(_ start: Int, _ end: Int) -> (start: UInt32, end: UInt32) {
    let first = ModuleRig.guestStart &+ 1
    return (first &+ UInt32(start), first &+ UInt32(end))
  }
}
