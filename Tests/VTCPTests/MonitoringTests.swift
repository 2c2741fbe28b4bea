// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import Memory
import Monitoring
import TCPPolicy
import Testing
import Timekeeping

@testable import Simulation
@testable import VTCP

@Suite("Monitoring, FIG. 15 1550")
struct MonitoringTests {
  /// A module's statistics as another process reads them.
  private static func snapshot(_ rig: ModuleRig) throws -> MonitorSnapshot {
    rig.module.publish(now: Instant(nanoseconds: rig.now * 1_000_000))
    return try MonitorReader(over: rig.monitorMemory).snapshot()
  }

  @Test("Every number that the module writes has a word, and no word is left over")
  func words() {
    #expect(
      AccelerationMode.allCases.map { MonitorWords.modes[Int($0.rawValue)] } == ["off", "limit", "snoop", "early"])
    func count(_ has: (UInt8) -> Bool) -> Int { (0...UInt8.max).filter(has).count }
    #expect(MonitorWords.modes.count == AccelerationMode.allCases.count)
    #expect(MonitorWords.phases.count == count { FlowPhase(rawValue: $0) != nil })
    #expect(MonitorWords.states.count == count { SideState(rawValue: $0) != nil })
    #expect(MonitorWords.reasons.count == count { DrainReason(rawValue: $0) != nil })
    #expect(MonitorWords.passReasons.count == count { PassReason(rawValue: $0) != nil })
    #expect(MonitorWords.congestionPhases.count == count { CongestionPhase(rawValue: $0) != nil })
    #expect(MonitorCounter.allCases.count == MemoryLayout<ModuleCounters>.size / 8)
    #expect(LegCounter.allCases.count == Mirror(reflecting: LegCounters()).children.count)
    #expect(MonitorWords.reasons[Int(DrainReason.zeroWindow.rawValue)] == "zero-window")
    #expect(MonitorWords.reasons[Int(DrainReason.policy.rawValue)] == "policy")
    #expect(MonitorWords.passReasons[Int(PassReason.multipath.rawValue)] == "multipath")
    #expect(MonitorWords.passReasons[Int(PassReason.policy.rawValue)] == "policy")
    #expect(MonitorWords.states[Int(SideState.draining.rawValue)] == "draining")
  }

  @Test("A connection is seen from its first SYN, and no more once it is forgotten; its counts stay in the totals")
  func life() throws {
    let rig = try ModuleRig()
    _ = try rig.guest(2) { $0.maximumSegmentSize = 1000 }
    let first = try #require(try Self.snapshot(rig).flows.first)
    #expect(first.phase == 1 && first.opener == 0 && first.guestPort == 40_000 && first.networkPort == 80)
    try rig.openAndTalk()
    let open = try Self.snapshot(rig)
    #expect(open.flows.first?.phase == 3 && open.flowCount == 1 && open[.flows] == 1)
    #expect(open.flows.first?.network.delivered == 100)
    let sent = open.total(.segments, isNetwork: false)
    #expect(sent > 0)
    _ = try rig.guest(4 | 16, at: 100, ack: 100)
    let over = try Self.snapshot(rig)
    #expect(over.flows.isEmpty && over.flowCount == 0)
    #expect(over.total(.segments, isNetwork: false) == sent)
  }

  @Test("Data that are acknowledged early show as held and owned, and by how much they were early")
  func early() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    _ = try rig.emissions(to: .network)
    let before = try Self.snapshot(rig)
    let guest = try #require(before.flows.first?.guest)
    #expect(MonitorWords.states[Int(guest.state)] == "accelerated")
    #expect((guest.held, guest.owned) == (500, 500))
    #expect(before.flows.first?.network[.earlyAcknowledgments] == 1)
    #expect(before[.receiveHeld].percentile(100).map { $0 >= 480 && $0 <= 560 } == true)
    #expect(before[.receiveLead].count == 0 && before[.earlyOctets] == 500)
    rig.now += 30
    _ = try rig.guest(at: 100, ack: 600)
    let after = try Self.snapshot(rig)
    #expect(after[.receiveLead].count == 1 && after[.receiveLead].sum == 30_000)
    #expect(after[.guestRoundTrip].count > 0)
    #expect(after.flows.first?.guest[.swallowedAcknowledgments] == 1)
    #expect(after.flows.first?.guest.owned == 0)
  }

  @Test("A loss shows as timeout, retransmission and time of recovery on the leg where it was")
  func loss() throws {
    let rig = try ModuleRig { $0.flow.minimumTimeout = .milliseconds(200) }
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    _ = try rig.emissions(to: .network)
    #expect(try rig.passTime())
    #expect(try rig.emissions(to: .guest).count == 1)
    rig.now += 40
    _ = try rig.guest(at: 100, ack: 600)
    let snapshot = try Self.snapshot(rig)
    #expect(snapshot.total(.retransmissions, isNetwork: false) == 1)
    #expect(snapshot.total(.timeouts, isNetwork: false) == 1)
    #expect(snapshot.total(.retransmissions, isNetwork: true) == 0)
    #expect(snapshot[.guestRecovery].count == 1 && snapshot[.guestRecovery].sum == 40_000)
    #expect(snapshot[.networkRecovery].count == 0)
  }

  @Test("A closed window shows, and that a side drains for it")
  func zeroWindow() throws {
    let rig = try ModuleRig { $0.flow.shutWindow = .stop }
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    _ = try rig.guest(at: 100, ack: 600, window: 0)
    let guest = try #require(try Self.snapshot(rig).flows.first?.guest)
    #expect(guest[.zeroWindows] == 1 && guest.window == 0)
    #expect(MonitorWords.states[Int(guest.state)] == "draining")
    #expect(MonitorWords.reasons[Int(guest.reason)] == "zero-window")
  }

  @Test("Why a connection is never touched is told")
  func untouched() throws {
    let rig = try ModuleRig { $0.flow.mode = .early }
    _ = try rig.guest(2) { $0.extraOptions = [19, 18] + [UInt8](repeating: 0, count: 16) }
    let flow = try #require(try Self.snapshot(rig).flows.first)
    #expect(MonitorWords.passReasons[Int(flow.passReason)] == "authenticated")
  }

  @Test("More connections than are marked at once are all written")
  func many() throws {
    let rig = try ModuleRig { $0.flowLimit = 256 }
    for port in 0..<(VTCPModule.mostTouched * 3) as Range<Int> {
      _ = try rig.guest(2) { $0.guestPort = UInt16(20_000 + port) }
    }
    let snapshot = try Self.snapshot(rig)
    #expect(snapshot.flows.count == VTCPModule.mostTouched * 3)
    #expect(Set(snapshot.flows.map(\.guestPort)).count == VTCPModule.mostTouched * 3)
  }
}
