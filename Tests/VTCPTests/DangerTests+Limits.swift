// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import Monitoring
import TCPPolicy
import Testing
import Wire

@testable import Simulation
@testable import VTCP

// What one end, or one that is nobody's end, can cost the others.

extension DangerTests {
  @Test(
    "A receiver that asks for octets one by one gets segments of 48, options included; one that asks for more gets what it asks for",
    arguments: [1, 47, 48, 100], [false, true])
  func leastSegment(asked: Int, hasTimestamps: Bool) throws {
    let rig = try ModuleRig {
      $0.flow.congestionAlgorithm = .none
      $0.flow.isPaced = false
    }
    rig.hasTimestamps = hasTimestamps
    try rig.openAndTalk { if !$0.sourceIsGuest { $0.maximumSegmentSize = UInt16(asked) } }
    _ = try rig.guest(at: 100, 1000, ack: 100)
    _ = try rig.network(at: 100, ack: 1100, window: 10)
    // All of it waits for the window.
    for place in 0..<8 { #expect(try rig.guest(at: 1100 + 1000 * place, 1000, ack: 100) == nil) }
    _ = try rig.network(at: 100, ack: 1100, window: 20_000)
    let sizes = try rig.emissions(to: .network).map(\.payloadCount)
    let whole = max(asked, 48) - (hasTimestamps ? 12 : 0)
    #expect(sizes.reduce(0, +) == 8000)
    #expect(sizes.dropLast().allSatisfy { $0 == whole })
  }

  /// A SYN of somebody's from each leg, to another port each time.
  private func flood(_ rig: ModuleRig, _ numbers: Range<Int>) throws {
    let port = rig.guestPort
    defer { rig.guestPort = port }
    for number in numbers {
      rig.guestPort = UInt16(number)
      _ = number % 2 == 0 ? try rig.guest(ModelSegment.syn) : try rig.network(ModelSegment.syn)
    }
  }

  /// A connection of that port is accelerated: the network's next octets are acknowledged at once.
  private func accelerates(_ rig: ModuleRig, _ port: UInt16, at place: Int) throws -> Bool {
    rig.guestPort = port
    _ = try rig.network(at: place, 500, ack: 100)
    return try rig.emissions(to: .network).map { rig.acknowledged($0, to: .network) } == [place + 500]
  }

  @Test(
    "45: a flood of SYNs from both legs, ten times the table, harms no connection that stands; a new one finds room at once"
  )
  func flood() throws {
    let rig = try ModuleRig { $0.flowLimit = 64 }
    try rig.openAndTalk()
    #expect(try accelerates(rig, 40_000, at: 100))
    for round in 0..<10 {
      try flood(rig, 1000 + 64 * round..<1064 + 64 * round)
      #expect(try accelerates(rig, 40_000, at: 600 + 500 * round))
    }
    #expect(rig.module.flowCount == 64)
    #expect(rig.module.counters.refusedFlows == 0)
    rig.guestPort = 50_000
    try rig.openAndTalk()
    #expect(try accelerates(rig, 50_000, at: 100))
    #expect(rig.module.flowCount == 64)
  }

  @Test(
    "45: connections that must stay, first in the table, do not keep others from the room of those that need not",
    arguments: [4, 12])
  func olderConnections(count: Int) throws {
    let rig = try ModuleRig {
      $0.flowLimit = 16
      $0.sendingLimit = 32
    }
    for port in 0..<count {
      rig.guestPort = UInt16(40_000 + port)
      try rig.openAndTalk()
      #expect(try accelerates(rig, rig.guestPort, at: 100))
    }
    try flood(rig, 1000..<1032 - 2 * count)
    #expect(rig.module.flowCount == 16)
    // A SYN looks at eight; when it is sent again, it looks at the next.
    rig.guestPort = 50_000
    _ = try rig.guest(ModelSegment.syn) { $0.maximumSegmentSize = 1000 }
    try rig.openAndTalk()
    #expect(try accelerates(rig, 50_000, at: 100))
    for port in 0..<count { #expect(try accelerates(rig, UInt16(40_000 + port), at: 600)) }
  }

  @Test(
    "45, 54: of a full table a connection that is idle gives way, and then passes; one to which something is owed never does"
  )
  func idleConnections() throws {
    let rig = try ModuleRig { $0.flowLimit = 2 }
    for port in [40_000, 40_001] as [UInt16] {
      rig.guestPort = port
      try rig.openAndTalk()
      #expect(try accelerates(rig, port, at: 100))
    }
    // The second one has everything; the first is never answered.
    _ = try rig.guest(at: 100, ack: 600)
    rig.guestPort = 50_000
    for seconds in [0, 59, 2] {
      rig.now += Int64(seconds) * 1000
      let refused = rig.module.counters.refusedFlows
      _ = try rig.guest(ModelSegment.syn)
      #expect(rig.module.counters.refusedFlows == refused + (seconds == 2 ? 0 : 1))
    }
    rig.guestPort = 40_001
    let later = try rig.network(at: 600, 500, ack: 100)
    #expect(later?.payloadCount == 500)
    #expect(try rig.emissions(to: .network).isEmpty)
    let answer = try rig.guest(at: 100, ack: 1100)
    #expect(answer.map { rig.acknowledged($0, to: .network) } == 1100)
    #expect(rig.module.ownedOctets == 500)
    rig.now += 3_600_000
    rig.guestPort = 50_001
    _ = try rig.guest(ModelSegment.syn)
    #expect(rig.module.ownedOctets == 500)
  }

  @Test(
    "45: policy says how many connections are followed: more pass, those that are there stay, and it may change its mind"
  )
  func flowsOfPolicy() throws {
    func classifier(_ flows: Int) throws -> Classifier {
      let first = "default mode=early leastRoundTrip=0 acknowledgmentDelay=0\n"
      return try Classifier(parsing: first + "limit flows=\(flows)", fallback: FlowConfiguration())
    }
    let rig = try ModuleRig { $0.flowLimit = 8 }
    #expect(rig.module.flowLimit == 8)
    rig.adopt(try classifier(2))
    #expect(rig.module.flowLimit == 2)
    for port in [40_000, 40_001, 40_002] as [UInt16] {
      rig.guestPort = port
      try rig.openAndTalk()
      #expect(try accelerates(rig, port, at: 100) == (port < 40_002))
    }
    #expect(rig.module.flowCount == 2 && rig.module.counters.refusedFlows == 1)
    let snapshot = try MonitorReader(over: rig.monitorMemory).snapshot()
    #expect(snapshot.flowLimit == 2)
    // One fewer than there are: nobody is thrown out, and nobody comes in their place.
    rig.adopt(try classifier(1))
    for port in [40_000, 40_001] as [UInt16] { #expect(try accelerates(rig, port, at: 600)) }
    rig.guestPort = 40_003
    try rig.openAndTalk()
    #expect(rig.module.flowCount == 2 && rig.module.counters.refusedFlows == 2)
    // More than there is room for is what there is room for.
    rig.adopt(try classifier(100))
    #expect(rig.module.flowLimit == 8)
    rig.guestPort = 40_004
    try rig.openAndTalk()
    #expect(try accelerates(rig, 40_004, at: 100))
    #expect(rig.module.flowCount == 3)
  }

  @Test("54: a sender that was shown more than its receiver takes is kept for ten minutes of silence")
  func idleWithWiderWindow() throws {
    let rig = try ModuleRig { $0.flowLimit = 1 }
    try rig.openAndTalk()
    _ = try rig.guest(at: 100, 500, ack: 100)
    _ = try rig.emissions(to: .guest)
    _ = try rig.network(at: 100, ack: 600, window: 2_000)
    rig.guestPort = 50_000
    for (seconds, refused) in [(590, 1), (20, 1)] as [(Int64, UInt64)] {
      rig.now += seconds * 1000
      _ = try rig.guest(ModelSegment.syn)
      #expect(rig.module.counters.refusedFlows == refused)
    }
  }

  @Test(
    "42: five hundred slow readers never hold more than there is; each gets everything that was acknowledged for it")
  func slowReaders() throws {
    let count = 500
    let rig = try ModuleRig {
      $0.flowLimit = 512
      $0.sendingLimit = 1024
      $0.chunkLimit = 96
    }
    var promised = [Int](repeating: 100, count: count)
    for reader in 0..<count {
      rig.guestPort = UInt16(20_000 + reader)
      try rig.openAndTalk()
      // Its window is open, and it says nothing.
      for packet in 0..<3 {
        _ = try rig.network(at: 100 + 500 * packet, 500, ack: 100)
        for told in try rig.emissions(to: .network) { promised[reader] = rig.acknowledged(told, to: .network) }
      }
      #expect(rig.module.heldChunks <= 96)
    }
    let owned = promised.reduce(0, +) - 100 * count
    #expect(owned > 100_000)
    #expect(rig.module.ownedOctets == owned)
    // Nothing of it has arrived; all of it comes again.
    var received = [Int](repeating: 100, count: count)
    rig.tick(2_000)
    for _ in 0..<8 {
      for segment in try rig.emissions(to: .guest) where segment.payloadCount > 0 {
        let reader = Int(segment.guestPort) - 20_000
        guard rig.place(segment, to: .guest) <= received[reader] else { continue }
        received[reader] = max(received[reader], rig.place(segment, to: .guest) + segment.payloadCount)
      }
      for reader in 0..<count {
        rig.guestPort = UInt16(20_000 + reader)
        _ = try rig.guest(at: 100, ack: received[reader])
      }
      rig.tick(2_000)
    }
    for reader in 0..<count where received[reader] < promised[reader] {
      Issue.record("\(promised[reader]) acknowledged for \(reader), which has \(received[reader])")
    }
    #expect(rig.module.ownedOctets == 0)
    #expect(rig.module.heldChunks == 0)
  }
}
