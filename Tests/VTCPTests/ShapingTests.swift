// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import Monitoring
import TCPPolicy
import Testing
import Timekeeping
import Wire

@testable import Simulation
@testable import VTCP

@Suite("The rate of a VM: by pacing and windows, not by drops")
struct ShapingTests {
  private static let header = 54

  /// Connections of a guest that has always something to send, to receivers 10 ms away that read at once.
  private final class Bed {
    let rig: ModuleRig
    let ports: [UInt16]
    var sent: [UInt16: Int] = [:]
    var edges: [UInt16: Int] = [:]
    var arrived: [UInt16: Int] = [:]
    /// Octets of frames that left, payload and headers.
    var wire = 0
    private var underway: [(time: Int64, port: UInt16, ack: Int)] = []

    init(_ policy: String, ports: [UInt16]) throws {
      rig = try ModuleRig(policy: try Self.classifier(policy)) { $0.chunkLimit = 4096 }
      self.ports = ports
      for port in ports {
        rig.guestPort = port
        try rig.openAndTalk { $0.windowScale = $0.flags & ModelSegment.syn != 0 ? 4 : nil }
        _ = try rig.network(at: 100, ack: 100, window: 20_000)
        (sent[port], edges[port], arrived[port]) = (100, 1_100, 100)
      }
      _ = try rig.emissions(to: .network)
      _ = try rig.emissions(to: .guest)
    }

    static func classifier(_ text: String) throws -> Classifier {
      let first = "default leastRoundTrip=0 acknowledgmentDelay=0 congestionAlgorithm=none isPaced=off\n"
      return try Classifier(parsing: first + text, fallback: FlowConfiguration())
    }

    /// So many turns, one each `step` milliseconds; `each` is called in each of them.
    func run(_ turns: Int64, step: Int64 = 1, idle: Set<UInt16> = [], each: () throws -> Void = {}) throws {
      for _ in 0..<turns {
        rig.tick(step)
        try each()
        while let next = underway.first, next.time <= rig.now {
          underway.removeFirst()
          rig.guestPort = next.port
          if let passed = try rig.network(at: 100, ack: next.ack, window: 60_000) { note(passed) }
        }
        for segment in try rig.emissions(to: .guest) { note(segment) }
        for port in ports where !idle.contains(port) {
          rig.guestPort = port
          for _ in 0..<3 * step where (edges[port] ?? 0) - (sent[port] ?? 0) >= 1000 {
            let place = sent[port] ?? 0
            if let passed = try rig.guest(at: place, 1000, ack: 100) { arrives(passed) }
            sent[port] = place + 1000
          }
        }
        for segment in try rig.emissions(to: .guest) { note(segment) }
        for segment in try rig.emissions(to: .network) { arrives(segment) }
      }
    }

    private func note(_ segment: ModelSegment) {
      let edge = rig.acknowledged(segment, to: .guest) + Int(segment.window) << 4
      edges[segment.guestPort] = max(edges[segment.guestPort] ?? 0, edge)
    }

    private func arrives(_ segment: ModelSegment) {
      wire += ShapingTests.header + segment.payloadCount
      guard segment.payloadCount > 0 else { return }
      let end = rig.place(segment, to: .network) + segment.payloadCount
      arrived[segment.guestPort] = max(arrived[segment.guestPort] ?? 0, end)
      underway.append((rig.now + 10, segment.guestPort, arrived[segment.guestPort] ?? 0))
    }
  }

  @Test("Two connections share the rate as their weights, and it is kept and filled")
  func weights() throws {
    let bed = try Bed(
      """
      configuration heavy servingWeight=3
      rule guestPort=2 configuration=heavy
      shape transmitRate=8Mbit/s
      """, ports: [1, 2])
    try bed.run(200)
    let (light, heavy, wire) = (bed.arrived[1] ?? 0, bed.arrived[2] ?? 0, bed.wire)
    try bed.run(4_000)
    let all = bed.wire - wire
    #expect(all <= 4_000_000 + 1_000 + 3_028 && all > 3_950_000, "\(all) octets in 4 s")
    let ratio = Double((bed.arrived[2] ?? 0) - heavy) / Double((bed.arrived[1] ?? 0) - light)
    #expect(abs(ratio / 3 - 1) < 0.05, "\(ratio)")
    #expect(bed.rig.module.counters.droppedSegments == 0)
    // Nobody fills the memory: the windows shut.
    let held = try (1...2).map { number in
      let side = try #require(bed.rig.module.view(at: number)).transmit
      return side.heldEnd - side.heldStart
    }
    // What the rate carries in two round trips, of which none is known, and 100 ms.
    #expect(held.allSatisfy { $0 > 20_000 && $0 <= 310_000 }, "\(held)")
    for port in bed.ports { #expect((bed.edges[port] ?? 0) - (bed.sent[port] ?? 0) < 1000, "a window that never shut") }
  }

  @Test("An idle connection leaves its share to the other")
  func idle() throws {
    let bed = try Bed("shape transmitRate=8Mbit/s", ports: [1, 2])
    try bed.run(1_000, idle: [1])
    let before = bed.arrived[2] ?? 0
    try bed.run(1_000, idle: [1])
    #expect((bed.arrived[2] ?? 0) - before > 930_000)
  }

  @Test("What passes is not held up, and is charged: what waits yields to it, but for a sixteenth of the rate")
  func passing() throws {
    let bed = try Bed("shape transmitRate=8Mbit/s", ports: [1])
    for (octets, least, most) in [(500, 470_000, 520_000), (3_000, 55_000, 75_000)] {
      try bed.run(1_500) { #expect(bed.rig.passesOther(from: .guest, octets: octets)) }
      let before = bed.wire
      try bed.run(1_000) { #expect(bed.rig.passesOther(from: .guest, octets: octets)) }
      #expect(bed.wire - before > least && bed.wire - before < most, "\(bed.wire - before) beside \(octets)")
    }
    #expect(bed.rig.module.counters.transmitCharged >= 8_750_000)
    #expect(bed.rig.module.counters.droppedSegments == 0)
  }

  @Test("A program that has a turn each 10 ms only fills the rate as well, and no more than it")
  func late() throws {
    let bed = try Bed("shape transmitRate=8Mbit/s", ports: [1])
    try bed.run(50, step: 10)
    let before = bed.wire
    try bed.run(300, step: 10)
    let all = bed.wire - before
    #expect(all > 2_950_000 && all <= 3_000_000 + 20_000 + 3_028, "\(all) octets in 3 s")
  }

  @Test("Another rate applies at once, and none lets all go that waits")
  func changes() throws {
    let bed = try Bed("shape transmitRate=8Mbit/s", ports: [1, 2])
    try bed.run(500)
    for (text, octets) in [
      ("shape transmitRate=4Mbit/s", 500), ("shape transmitRate=16Mbit/s receiveRate=1Mbit/s", 2_000),
    ] {
      bed.rig.adopt(try Bed.classifier(text))
      let before = bed.wire
      try bed.run(1_000)
      let all = bed.wire - before
      #expect(all <= octets * 1_000 + 9_000 && all > octets * 950, "\(text): \(all)")
    }
    bed.rig.adopt(try Bed.classifier(""))
    let waiting = (bed.sent[1] ?? 0) + (bed.sent[2] ?? 0)
    try bed.run(1, idle: [1, 2])
    #expect((bed.arrived[1] ?? 0) + (bed.arrived[2] ?? 0) == waiting)
    #expect(!bed.rig.module.isShaping)
    try bed.run(100, idle: [1, 2])
    #expect(bed.rig.module.heldChunks == 0)
  }

  @Test("It wakes when the rate lets something go, and not before; a leg that takes nothing is not asked again")
  func deadlines() throws {
    let bed = try Bed("shape transmitRate=1Mbit/s", ports: [1])
    try bed.run(300)
    let rig = bed.rig
    // 125 octets a millisecond, and pieces of a thousand: some 8 ms from one to the next.
    var wakes = 0
    let end = rig.time + .seconds(1)
    var now = rig.time
    while let deadline = rig.module.shapingDeadline, now < end {
      #expect(deadline > now)
      now = deadline
      rig.now = (now.nanoseconds + 999_999) / 1_000_000
      now = rig.time
      _ = rig.module.timersDue(now: now)
      #expect(rig.module.hasFrames(for: .network, now: now))
      #expect(rig.module.shapingDeadline == nil, "a deadline that has come wakes once")
      // At the end it has all that the receiver's window takes.
      guard try !rig.emissions(to: .network).isEmpty else { break }
      wakes += 1
    }
    #expect(wakes >= 5 && wakes < 130, "\(wakes)")
  }

  @Test("The statistics say which rates are in force, and what they did")
  func statistics() throws {
    let bed = try Bed("shape transmitRate=8Mbit/s receiveRate=2Gbit/s", ports: [1])
    try bed.run(500)
    bed.rig.module.publish(now: bed.rig.time)
    let snapshot = try MonitorReader(over: bed.rig.monitorMemory).snapshot()
    #expect(snapshot.transmitRate == 8_000_000 && snapshot.receiveRate == 2_000_000_000)
    #expect(snapshot[.transmitShaped] > 400_000 && snapshot[.transmitShaped] <= 510_000)
    #expect(snapshot[.shaperWaits] > 100 && snapshot[.receiveCharged] > 0)
    #expect(snapshot.text(isRunning: true, now: bed.rig.time).contains("; at most transmit 8 Mbit/s, receive 2 Gbit/s"))
    bed.rig.adopt(try Bed.classifier(""))
    #expect(try MonitorReader(over: bed.rig.monitorMemory).snapshot().transmitRate == 0)
  }

  @Test("Another process goes on with what waits, at the rate")
  func takeOver() throws {
    let bed = try Bed("shape transmitRate=8Mbit/s", ports: [1, 2])
    try bed.run(500)
    try bed.rig.takeOver(try Bed.classifier("shape transmitRate=8Mbit/s"))
    let before = bed.wire
    try bed.run(2_000)
    #expect(bed.wire - before < 2_006_000 && bed.wire - before > 1_800_000, "\(bed.wire - before)")
    #expect(bed.rig.module.counters.resets == 0 && bed.rig.module.counters.lostOctets == 0)
  }

  @Test(
    "A transfer takes the time of the rate, in both directions and modes; nothing is lost, dropped or sent again",
    arguments: [Leg.network, .guest], [AccelerationMode.early, .snoop, .limit])
  func transfers(_ direction: Leg, _ mode: AccelerationMode) throws {
    // Mode limit rules the guest.
    if mode == .limit, direction == .guest { return }
    for roundTrip in mode == .early ? [0, 20] as [Int64] : [20] {
      for algorithm in [CongestionAlgorithm.cubic, .bbr] {
        var transfer = SimulatedTransfer(direction, roundTrip: roundTrip, rate: 500, queue: 100, octets: 3_000_000)
        for way in [2, 3] { transfer.schedule.legs[way].queueBytes = 0 }
        transfer.schedule.module.shaping = Shaping(transmitRate: 10_000_000, receiveRate: 10_000_000)
        transfer.schedule.module.flow.mode = mode
        transfer.schedule.module.flow.leastRoundTrip = .milliseconds(1)
        transfer.schedule.module.flow.congestionAlgorithm = algorithm
        let simulation = try Simulation(transfer.schedule)
        let (sender, receiver) =
          direction == .network ? (simulation.guest, simulation.network) : (simulation.network, simulation.guest)
        try simulation.pump()
        let begin = simulation.now
        while receiver.received <= transfer.octets { try simulation.step() }
        let seconds = Double(simulation.now - begin) / 1e9
        let name = "to \(direction), \(mode), \(roundTrip) ms, \(algorithm): \(seconds) s"
        // With headers, 78 octets of them at most, it is 2.55 s; less what passes in the first round trips. Windows rule less exactly.
        #expect(seconds > (mode == .early ? 2.4 : 2.2) && seconds < (mode == .early ? 2.75 : 3.3), "\(name)")
        #expect(sender.retransmissions == 0, "\(name)")
        #expect(simulation.module.counters.droppedSegments == 0, "\(name)")
        let view = try #require(simulation.view)
        let leg = direction == .network ? view.networkLeg : view.guestLeg
        #expect(leg.retransmissions == 0 && leg.timeouts == 0, "\(name)")
        // The congestion window does not grow while it is not what limits.
        let window = direction == .network ? view.transmit.congestionWindow : 0
        #expect(window < 400_000, "\(name): \(window)")
        if mode == .early { #expect(simulation.hasAccelerated, "\(name)") }
      }
    }
  }
}
