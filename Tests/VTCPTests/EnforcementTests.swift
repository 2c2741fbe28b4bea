// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import TCPPolicy
import Testing
import Wire

@testable import Simulation
@testable import VTCP

/// What a guest without any congestion control, or a receiver that wants more than its share, gets out of it: nothing.
@Suite("The network's leg is ruled by policy, whatever the ends do")
struct EnforcementTests {
  private static let segment = 400
  /// Where what is spoken of begins.
  private static let start = 110

  /// A guest that has sent 16,000 octets at once, none of which has left yet; policy lets four segments go at first.
  private func blasting() throws -> ModuleRig {
    let rig = try ModuleRig {
      $0.flow.congestionAlgorithm = .newReno
      $0.flow.isPaced = false
      $0.flow.initialCongestionWindow = 4
    }
    try rig.openAndTalk { $0.maximumSegmentSize = UInt16(Self.segment) }
    _ = try rig.guest(at: 100, 10, ack: 100)
    _ = try rig.network(at: 100, ack: Self.start, window: 0)
    for place in 0..<20 { #expect(try rig.guest(at: Self.start + 800 * place, 800, ack: 100) == nil) }
    _ = try rig.emissions(to: .guest)
    return rig
  }

  /// The places, in segments, of what the module sends now.
  private func sent(_ rig: ModuleRig) throws -> [Int] {
    try rig.emissions(to: .network).map { segment in
      #expect(segment.payloadCount == Self.segment)
      return (rig.place(segment, to: .network) - Self.start) / Self.segment
    }
  }

  /// The network acknowledges so many segments.
  private func acknowledge(_ rig: ModuleRig, _ segments: Int, octets: Int = 0) throws -> [Int] {
    _ = try rig.network(at: 100, ack: Self.start + Self.segment * segments + octets)
    return try sent(rig)
  }

  @Test(
    "A guest that sends all at once, and again and again, is on the wire as policy says, and after a loss with half as much"
  )
  func guestWithoutControl() throws {
    let rig = try blasting()
    #expect(try acknowledge(rig, 0) == Array(0..<4))
    // It repeats what it has sent, though all of it is acknowledged: nothing of that goes on.
    for place in 0..<20 { #expect(try rig.guest(at: Self.start + 800 * place, 800, ack: 100) == nil) }
    #expect(try sent(rig).isEmpty)
    rig.tick(10)
    var next = 4
    for count in 1...4 {
      #expect(try acknowledge(rig, count) == [next, next + 1])
      next += 2
    }
    // Eight are in flight, 4 to 11, and the first of them is lost: the others have it asked for. Two go for the first two of them, which
    // may mean nothing (RFC 3042).
    rig.tick(10)
    var asked: [Int] = []
    for _ in 5...11 { asked += try acknowledge(rig, 4) }
    #expect(asked.prefix(3) == [12, 13, 4])
    // Half as much in flight, and one for what is acknowledged then.
    let after = try acknowledge(rig, 12)
    #expect(asked.filter { $0 > 11 }.count + after.count == 5)
    // And grows by one in a round trip.
    var round: [Int] = []
    for count in 13...16 { round += try acknowledge(rig, count) }
    #expect(round.count == 5)
  }

  @Test("A guest that sends beyond the window it was shown has it dropped, and takes no memory by it")
  func guestBeyondItsWindow() throws {
    let rig = try ModuleRig { $0.flow.transmitBufferSize = 4_000 }
    try rig.openAndTalk()
    _ = try rig.guest(at: 100, 1_000, ack: 100)
    _ = try rig.network(at: 100, ack: 100, window: 1_000)
    for place in 0..<100 {
      #expect(try rig.guest(at: 1_100 + 1_000 * place, 1_000, ack: 100) == nil)
    }
    let view = try #require(rig.view?.transmit)
    #expect(view.heldEnd - view.heldStart <= 21_000 && rig.module.heldChunks <= 8)
    #expect(rig.module.counters.implausible > 50)
    #expect(try rig.emissions(to: .network).allSatisfy { rig.place($0, to: .network) + $0.payloadCount <= 1_100 })
  }

  @Test("An acknowledgment in pieces opens the window by its octets", arguments: [1, 4, 40])
  func piecesOfAnAcknowledgment(count: Int) throws {
    let rig = try blasting()
    #expect(try acknowledge(rig, 0).count == 4)
    var sent: [Int] = []
    for piece in 1...count { sent += try acknowledge(rig, 0, octets: 2 * Self.segment * piece / count) }
    // Two have left, and the window is larger by two.
    #expect(sent == Array(4..<8))
  }

  @Test("Acknowledgments of what was never sent are not believed: nothing leaves for them, and nothing is forgotten")
  func unsent() throws {
    let rig = try blasting()
    #expect(try acknowledge(rig, 0).count == 4)
    let owned = rig.module.ownedOctets
    for count in [5, 8, 40, 1_000_000] { #expect(try acknowledge(rig, count).isEmpty) }
    #expect(rig.module.ownedOctets == owned)
    #expect(try acknowledge(rig, 1) == [4, 5])
  }

  @Test("Duplicate acknowledgments bring what they may tell of, and no more, however many they are")
  func duplicates() throws {
    let rig = try blasting()
    #expect(try acknowledge(rig, 0).count == 4)
    rig.tick(10)
    // The first round trip that is measured.
    #expect(try acknowledge(rig, 1) == [4, 5])
    rig.tick(10)
    var sent: [Int] = []
    for _ in 0..<100 { sent += try acknowledge(rig, 1) }
    // The repair, two for the first two duplicates (RFC 3042), and half of what the five in flight can have told of.
    #expect(sent.filter { $0 == 1 }.count == 1)
    #expect(sent.filter { $0 > 5 }.count <= 4, "\(sent)")
    // And for those of the next round trip what was sent for these.
    rig.tick(10)
    let before = sent.count
    for _ in 0..<100 { sent += try acknowledge(rig, 1) }
    #expect(sent.count - before <= 4, "\(sent)")
  }
}
