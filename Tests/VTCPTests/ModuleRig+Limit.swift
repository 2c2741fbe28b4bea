// SPDX-License-Identifier: Apache-2.0

import Arena
import CongestionControl
import TCPPolicy
import Testing

@testable import Simulation
@testable import VTCP

// A connection whose guest is ruled by its window alone, for the suites of mode `limit`.

extension ModuleRig {
  /// What the receiver takes.
  static let wideWindow: UInt16 = 50_000

  /// Ten segments of 1000 octets are on their way, the receiver has the 100 octets before them, and takes little at first.
  static func limiting(
    flight count: Int = 10, usesSACK: Bool = true, ecn: Bool = false, shown: UInt16 = 10_000,
    _ change: (inout FlowConfiguration) -> Void = { _ in }
  ) throws -> ModuleRig {
    let rig = try ModuleRig {
      $0.flow.mode = .limit
      $0.flow.initialCongestionWindow = 10
      $0.flow.congestionAlgorithm = .newReno
      $0.flow.usesHyStart = false
      change(&$0.flow)
    }
    try rig.open(answeredAfter: 10) {
      $0.window = shown
      $0.permitsSACK = usesSACK
      if ecn { $0.flags |= $0.sourceIsGuest ? ModelSegment.ece | ModelSegment.cwr : ModelSegment.ece }
    }
    _ = try rig.guest(at: 0, 100)
    rig.tick(10)
    _ = try rig.network(ack: 100, window: shown)
    try rig.send(from: 100, count)
    return rig
  }

  /// So many segments of 1000 octets of the guest, which pass.
  func send(from place: Int, _ count: Int) throws {
    for number in 0..<count { try #require(guest(at: place + 1000 * number, 1000) != nil) }
  }

  /// An acknowledgment of the network, which passes with nothing changed but the window: the places it shows.
  @discardableResult
  func told(
    _ ack: Int, window: UInt16 = ModuleRig.wideWindow, _ change: (inout ModelSegment) -> Void = { _ in }
  ) throws -> (segment: ModelSegment, edge: Int, room: Int) {
    let segment = try #require(try network(ack: ack, window: window, change))
    #expect(isSameButWindow && acknowledged(segment, to: .guest) == ack)
    return (segment, ack + Int(segment.window), Int(segment.window))
  }

  /// The window and the checksum of a TCP header without VLAN over IPv4 aside.
  var isSameButWindow: Bool {
    let window = 48..<52
    return before.count == after.count && before.indices.allSatisfy { window.contains($0) || before[$0] == after[$0] }
  }

  /// Nothing is kept and nothing is sent, nor was.
  func isSilent() throws -> Bool {
    try emissions(to: .network).isEmpty && emissions(to: .guest).isEmpty && module.heldChunks == 0
      && view?.networkLeg.retransmissions == 0 && view?.guestLeg.earlyAcknowledgments == 0
  }

  /// Places of the guest's stream as a SACK block.
  static func block(_ start: Int, _ end: Int) -> (start: UInt32, end: UInt32) {
    let first = ModuleRig.guestStart &+ 1
    return (first &+ UInt32(start), first &+ UInt32(end))
  }

  /// Of the connection in the first place.
  var transmitSide: SideIndex { SideIndex(RecordIndex(rawValue: 1), sender: .guest) }
}
