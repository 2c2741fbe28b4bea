// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import TCPPolicy
import Testing
import Wire

@testable import Simulation
@testable import VTCP

@Suite("R44, danger 57: a policy that changes while connections are there")
struct PolicyChangeTests {
  /// A guest that has sent 5000 octets, of which the receiver has acknowledged 100: the rest is owned, in two halves of flight and backlog.
  private func owning(_ change: @escaping (inout FlowConfiguration) -> Void = { _ in }) throws -> ModuleRig {
    let rig = try ModuleRig()
    rig.adopt(change)
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 100, ack: 100, window: 3_000)
    for place in stride(from: 100, to: 5_100, by: 1_000) { _ = try rig.guest(at: place, 1_000, ack: 200) }
    let told = try rig.emissions(to: .guest)
    #expect(told.last.map { rig.acknowledged($0, to: .guest) } == 5_100)
    _ = try rig.emissions(to: .network)
    return rig
  }

  @Test("A larger buffer is shown to the sender at once, and what it allows is taken")
  func grows() throws {
    let rig = try owning { $0.transmitBufferSize = 6_000 }
    let before = try #require(rig.view?.transmit.shownEdge)
    rig.adopt { $0.transmitBufferSize = 60_000 }
    let told = try #require(try rig.emissions(to: .guest).last)
    #expect(rig.acknowledged(told, to: .guest) == 5_100 && Int(told.window) > 50_000)
    let after = try #require(rig.view?.transmit.shownEdge)
    #expect(after - before > 30_000)
    for place in stride(from: 5_100, to: 45_100, by: 1_000) { _ = try rig.guest(at: place, 1_000, ack: 200) }
    #expect(try rig.emissions(to: .guest).last.map { rig.acknowledged($0, to: .guest) } == 45_100)
    #expect(rig.module.counters.droppedSegments == 0)
  }

  @Test("A smaller buffer takes back nothing that the sender was shown; what comes is held, and no more is allowed")
  func shrinks() throws {
    let rig = try owning { $0.transmitBufferSize = 20_000 }
    let edge = try #require(rig.view?.transmit.shownEdge)
    rig.adopt { $0.transmitBufferSize = 2_000 }
    #expect(rig.view?.transmit.shownEdge == edge)
    for place in stride(from: 5_100, to: 15_100, by: 1_000) { _ = try rig.guest(at: place, 1_000, ack: 200) }
    let told = try #require(try rig.emissions(to: .guest).last)
    #expect(rig.acknowledged(told, to: .guest) == 15_100)
    #expect(rig.view?.transmit.shownEdge == edge && rig.module.counters.droppedSegments == 0)
  }

  @Test(
    "Of a connection that is turned off, what is owned is delivered, and nothing more is acknowledged early",
    arguments: [false, true])
  func turnedOff(forAll: Bool) throws {
    let rig = try owning()
    if forAll { rig.adopt { $0.mode = .off } } else { rig.adopt { $0.bufferWeight = 0 } }
    #expect(rig.view?.transmit.state == .draining)
    // It goes behind what is owned, and its receiver acknowledges it.
    _ = try rig.guest(at: 5_100, 500, ack: 200)
    for segment in try rig.emissions(to: .guest) { #expect(rig.acknowledged(segment, to: .guest) == 5_100) }
    var arrived = 3_100
    while arrived < 5_600 {
      _ = try rig.network(at: 200, ack: arrived, window: 20_000)
      let more = try rig.emissions(to: .network)
      arrived = try #require(more.last.map { rig.place($0, to: .network) + $0.payloadCount })
    }
    // And its window is as wide as what the sender was shown.
    let passed = try rig.network(at: 200, ack: 5_600, window: 0xffff)
    #expect(try passed != nil || rig.emissions(to: .guest).contains { rig.acknowledged($0, to: .guest) == 5_600 })
    #expect(rig.view?.transmit.state == .passThrough && rig.module.ownedOctets == 0)
    #expect(rig.view.map { $0.transmit.heldEnd == $0.transmit.heldStart } == true)
    // From now on it is as if there were no module.
    #expect(rig.passesUnchanged(fromGuest: true, at: 5_600, 700) { $1 })
    #expect(rig.passesUnchanged(fromGuest: false, at: 200, 700) { $1 })
    #expect(try rig.emissions(to: .guest).isEmpty && rig.emissions(to: .network).isEmpty)
  }

  @Test("A recovery goes on if somebody else's policy changes, and ends with another value of its own")
  func recoveryGoesOn() throws {
    let rig = try ModuleRig()
    rig.adopt { $0.isPaced = false }
    try rig.openAndTalk()
    for place in stride(from: 100, to: 10_100, by: 1_000) { _ = try rig.guest(at: place, 1_000, ack: 100) }
    _ = try rig.emissions(to: .network)
    // The first is lost: three duplicates call for it again.
    for _ in 0..<3 { _ = try rig.network(at: 100, ack: 100) }
    let window = try #require(rig.view?.transmit.congestionWindow)
    #expect(rig.view?.transmit.phase == .recovery)
    rig.adopt { $0.transmitBufferSize += 1_000 }
    #expect(rig.view?.transmit.phase == .recovery && rig.view?.transmit.congestionWindow == window)
    rig.adopt { $0.keepFactor = 700 }
    #expect(rig.view?.transmit.phase == .open)
  }

  @Test("Large sends are turned off and on again")
  func largeSends() throws {
    let rig = try ModuleRig()
    rig.adopt { $0.isPaced = false }
    try rig.openAndTalk()
    // More than the congestion window holds at once: the module sends the rest by itself.
    for place in stride(from: 100, to: 18_100, by: 1_000) { _ = try rig.guest(at: place, 1_000, ack: 100) }
    func sizes(acknowledging place: Int) throws -> [Int] {
      _ = try rig.network(at: 100, ack: place)
      return try rig.emissions(to: .network, largest: 3_000).map(\.payloadCount)
    }
    #expect(try sizes(acknowledging: 1_100).contains(2_000))
    rig.adopt { $0.sendsLarge = false }
    #expect(try sizes(acknowledging: 2_100) == [1_000, 1_000])
    rig.adopt { $0.sendsLarge = true }
    #expect(try sizes(acknowledging: 3_100) == [2_000])
  }

  @Test("A connection that is turned on again is held, and acknowledged early")
  func turnedOn() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    rig.adopt { $0.mode = .snoop }
    #expect(try rig.guest(at: 100, 1_000, ack: 100) != nil)
    #expect(try rig.emissions(to: .guest).isEmpty)
    rig.adopt { $0.mode = .early }
    _ = try rig.network(at: 100, ack: 1_100)
    _ = try rig.guest(at: 1_100, 1_000, ack: 100)
    #expect(try rig.emissions(to: .guest).last.map { rig.acknowledged($0, to: .guest) } == 2_100)
  }

  @Test("New connections get the new policy, and those that follow rules of their own are classified anew")
  func rules() throws {
    let policy = try PolicyTests.policy([{ $0.mode = .early }, { $0.mode = .early }])
    let other = try PolicyTests.policy([{ $0.mode = .snoop }, { $0.mode = .early }])
    let rig = try ModuleRig(policy: policy)
    for port in 1...2 {
      rig.guestPort = UInt16(port)
      try rig.openAndTalk()
    }
    rig.adopt(other)
    var early: [Int] = []
    for port in 1...2 {
      rig.guestPort = UInt16(port)
      _ = try rig.network(at: 100, 500, ack: 100)
      early.append(try rig.emissions(to: .network).count)
    }
    #expect(early == [0, 1])
  }
}
