// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import TCPPolicy
import Testing
import Timekeeping
import Wire

@testable import Simulation
@testable import VTCP

// How much is sent at once, and how soon something is told.

extension DangerTests {
  @Test(
    "15: a sender is told of room in the buffer when it is worth two segments, or half of the buffer",
    arguments: [3_000, 20_000])
  func sillyWindow(bufferSize: Int) throws {
    let rig = try ModuleRig { $0.flow.transmitBufferSize = UInt32(bufferSize) }
    try rig.open { $0.window = 1000 }
    _ = try rig.guest(at: 0, 100)
    _ = try rig.network(ack: 100, window: 1000)
    _ = try rig.guest(at: 100, 1000)
    let first = try rig.network(ack: 1100, window: 1)
    var edge = 0
    var sent = 1100
    func hear(_ segments: [ModelSegment]) {
      for segment in segments { edge = max(edge, rig.acknowledged(segment, to: .guest) + Int(segment.window)) }
    }
    hear(try [first].compactMap { $0 } + rig.emissions(to: .guest))
    while sent < edge {
      let count = min(1000, edge - sent)
      _ = try rig.guest(at: sent, count)
      sent += count
      hear(try rig.emissions(to: .guest))
    }
    // The buffer is full. Its receiver takes 100 octets at a time; what is told comes in large steps.
    var steps: [Int] = []
    var received = 1100
    for _ in 0..<bufferSize / 100 - 1 {
      for segment in try rig.emissions(to: .network) {
        received = rig.place(segment, to: .network) + segment.payloadCount
      }
      let known = edge
      let passed = try rig.network(ack: received, window: 100)
      hear(try [passed].compactMap { $0 } + rig.emissions(to: .guest))
      if edge > known { steps.append(edge - known) }
    }
    #expect(sent == 1100 + bufferSize)
    #expect(!steps.isEmpty)
    #expect(steps.allSatisfy { $0 >= min(2000, bufferSize / 2) }, "\(steps)")
  }

  @Test(
    "15: a window that opens by a little gets no small segment while something is on its way; PSH stays where it was")
  func smallSegments() throws {
    let rig = try ModuleRig { $0.flow.isPaced = false }
    try rig.openAndTalk()
    _ = try rig.guest(at: 100, 10, ack: 100)
    _ = try rig.network(at: 100, ack: 110, window: 1000)
    _ = try rig.guest(at: 110, 1000, ack: 100)
    for place in 0..<3 { #expect(try rig.guest(at: 1110 + 1000 * place, 1000, ack: 100) == nil) }
    _ = try rig.guest(ModelSegment.ack | ModelSegment.psh, at: 4110, 300, ack: 100)
    _ = try rig.network(at: 100, ack: 110, window: 1100)
    #expect(try rig.emissions(to: .network).isEmpty)
    _ = try rig.network(at: 100, ack: 1110, window: 20_000)
    let sent = try rig.emissions(to: .network)
    #expect(sent.map(\.payloadCount) == [1000, 1000, 1000, 300])
    #expect(sent.map { $0.has(ModelSegment.psh) } == [false, false, false, true])
  }

  @Test("19: what we send echoes the time of the SYN while nothing of what followed it came in order")
  func echoOfTheSYN() throws {
    let rig = try ModuleRig()
    rig.hasTimestamps = true
    try rig.open()
    rig.clock.network = 9_500
    // The first 50 octets of the network are lost.
    _ = try rig.guest(at: 0, 100)
    _ = try rig.network(at: 50, ack: 100)
    _ = try rig.guest(at: 100, 500)
    _ = try rig.network(at: 50, ack: 600, window: 0)
    #expect(try rig.guest(at: 600, 500) == nil)
    _ = try rig.network(at: 50, ack: 600)
    let sent = try rig.emissions(to: .network)
    #expect(sent.map(\.payloadCount) == [500])
    #expect(sent.first?.timestamp?.echo == 9_000)
  }

  @Test(
    "21: what a sender repeats in vain, since its timeout is that of the short leg, goes no further and is answered at once, also when acknowledging early has ended"
  )
  func repeatedWhileDraining() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    _ = try rig.network(at: 600, 500, ack: 100)
    _ = try rig.emissions(to: .network)
    rig.module.setQuiescing(true, now: .init(nanoseconds: rig.now * 1_000_000))
    for place in [100, 600] {
      #expect(try rig.network(at: place, 500, ack: 100) == nil)
      #expect(try rig.emissions(to: .network).map { rig.acknowledged($0, to: .network) } == [1100])
    }
  }

  @Test("24: an acknowledgment may wait as long as policy says, unless two segments came, or PSH")
  func delayedAcknowledgment() throws {
    let rig = try ModuleRig { $0.flow.acknowledgmentDelay = .milliseconds(2) }
    try rig.openAndTalk()
    func told() throws -> [Int] { try rig.emissions(to: .network).map { rig.acknowledged($0, to: .network) } }
    _ = try rig.network(at: 100, 1000, ack: 100)
    _ = try told()
    _ = try rig.network(at: 1100, 1000, ack: 100)
    #expect(try told() == [])
    rig.tick(1)
    #expect(try told() == [])
    rig.tick(2)
    #expect(try told() == [2100])
    _ = try rig.network(at: 2100, 1000, ack: 100)
    #expect(try told() == [])
    _ = try rig.network(at: 3100, 1000, ack: 100)
    #expect(try told() == [4100])
    _ = try rig.network(ModelSegment.ack | ModelSegment.psh, at: 4100, 10, ack: 100)
    #expect(try told() == [4110])
  }

  @Test("33: for a receiver that was not heard for ten seconds nothing more is acknowledged, until it has what is owed")
  func silentReceiver() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    let start = rig.now
    var end = 600
    // Its acknowledgments go another way, and the sender goes on.
    while rig.now - start < 60_000, try rig.passTime() {
      _ = try rig.emissions(to: .guest)
      _ = try rig.network(at: end, 500, ack: 100)
      let isTold = try rig.emissions(to: .network).last.map { rig.acknowledged($0, to: .network) } == end + 500
      #expect(isTold == (rig.view?.receive.reason != .silentReceiver))
      if isTold { end += 500 }
    }
    #expect(end > 600 && end < 600 + 12 * 500)
    #expect(rig.view?.receive.reason == .silentReceiver)
    #expect(rig.view?.receive.owned == end - 100)
    _ = try rig.guest(at: 100, ack: end)
    _ = try rig.network(at: end, 500, ack: 100)
    #expect(rig.view?.receive.reason == DrainReason.none)
    #expect(try rig.emissions(to: .network).last.map { rig.acknowledged($0, to: .network) } == end + 500)
  }

  @Test("48: what waited goes out spread over the round trip, two segments at a time")
  func paced() throws {
    let rig = try ModuleRig()
    // A round trip of 100 ms, of the SYN and of data.
    try rig.openAndTalk { _ in rig.tick(100) }
    _ = try rig.guest(at: 100, 1000, ack: 100)
    rig.tick(100)
    _ = try rig.network(at: 100, ack: 1100, window: 0)
    for place in 0..<9 { _ = try rig.guest(at: 1100 + 1000 * place, 1000, ack: 100) }
    _ = try rig.network(at: 100, ack: 1100, window: 20_000)
    let start = rig.now
    var bursts: [Int] = []
    var sent = 0
    while sent < 9, rig.now < start + 1000 {
      let burst = try rig.emissions(to: .network).filter { $0.payloadCount > 0 }.count
      if burst > 0 { bursts.append(burst) }
      sent += burst
      rig.tick(1)
    }
    #expect(sent == 9)
    #expect(bursts.allSatisfy { $0 <= 2 }, "\(bursts)")
    // Ten segments in half a round trip, as slow start has it.
    #expect(rig.now - start > 30 && rig.now - start < 60, "\(rig.now - start) ms")
  }
}
