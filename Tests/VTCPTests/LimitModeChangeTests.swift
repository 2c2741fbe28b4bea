// SPDX-License-Identifier: Apache-2.0

import Arena
import CongestionControl
import LossRecovery
import TCPPolicy
import Testing
import Timekeeping
import Wire

@testable import Simulation
@testable import VTCP

@Suite("Mode limit comes, goes and stays: policies, phases, processes, fragments")
struct LimitModeChangeTests {
  @Test(
    "It begins where another mode ends: what is owned is delivered first, copies are dropped",
    arguments: [AccelerationMode.early, .snoop, .off])
  func becomes(former: AccelerationMode) throws {
    let rig = try ModuleRig()
    rig.adopt {
      $0.mode = former == .off ? .early : former
      // What was shown beyond the receiver's would have to be used up first.
      $0.transmitWindow = .receiver
    }
    if former == .off {
      rig.adopt {
        $0.mode = .off; $0.overrides.windowClamp = 60_000
      }
    }
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 100, ack: 100)
    for number in 0..<4 { _ = try rig.guest(at: 100 + 1000 * number, 1000, ack: 200) }
    _ = try rig.emissions(to: .guest)
    rig.adopt {
      $0.mode = .limit; $0.initialCongestionWindow = 10
    }
    if former == .early {
      #expect(rig.view?.transmit.state == .draining && rig.view?.transmit.owned ?? 0 > 0)
      _ = try rig.emissions(to: .network)
    } else {
      #expect(rig.view?.transmit.state == .passThrough)
    }
    _ = try rig.network(at: 200, ack: 4100)
    _ = try rig.emissions(to: .guest)
    #expect(rig.module.heldChunks == 0 && rig.view?.transmit.state == .passThrough)
    _ = try #require(try rig.guest(at: 4100, 1000, ack: 200))
    #expect(rig.view?.transmit.state == .limiting)
    let passed = try #require(try rig.network(at: 200, ack: 5100, window: ModuleRig.wideWindow))
    #expect(passed.window < ModuleRig.wideWindow)
    #expect(try rig.emissions(to: .guest).isEmpty && rig.emissions(to: .network).isEmpty)
  }

  @Test(
    "It ends where another begins, without a trace; data are held again from what comes next in order",
    arguments: [AccelerationMode.early, .snoop, .off])
  func ends(next: AccelerationMode) throws {
    let rig = try ModuleRig.limiting()
    rig.tick(10)
    try rig.told(1100)
    let shown = try #require(rig.view?.transmit.shownEdge)
    rig.adopt { $0.mode = next }
    #expect(rig.view?.transmit.state == .passThrough && rig.module.store.sendings.inUse == 0)
    #expect(rig.module.limitingCount == 0)
    _ = try #require(try rig.guest(at: 10_100, 1000))
    #expect(rig.view?.transmit.state == (next == .off ? .passThrough : .holding))
    _ = try rig.network(ack: 10_100, window: ModuleRig.wideWindow)
    #expect(rig.view?.transmit.state == (next == .off ? .passThrough : next == .snoop ? .holding : .accelerated))
    #expect(try #require(rig.view?.transmit.shownEdge) >= shown)
  }

  @Test("A sender that is ruled from the middle on keeps what it has on its way, if nothing of it is missing")
  func middle() throws {
    let rig = try ModuleRig.limiting(flight: 0, shown: 60_000) { $0.congestionAlgorithm = .none }
    rig.adopt {
      $0.mode = .off; $0.overrides.windowClamp = 60_000
    }
    try rig.send(from: 100, 30)
    rig.adopt {
      $0.mode = .limit; $0.congestionAlgorithm = .newReno; $0.initialCongestionWindow = 2
    }
    try rig.send(from: 30_100, 20)
    rig.tick(10)
    // Nothing is known of those before.
    #expect(try rig.told(20_100).segment.window == ModuleRig.wideWindow)
    try rig.told(31_100)
    #expect(try #require(rig.view?.transmit.congestionWindow) >= 19_000)
  }

  @Test("Another process begins with what comes next; nothing was promised")
  func takenOver() throws {
    let rig = try ModuleRig.limiting()
    rig.tick(10)
    try rig.told(5_100)
    try rig.takeOver()
    #expect(rig.view?.transmit.state == .passThrough && rig.module.limitingCount == 0)
    try rig.send(from: 10_100, 2)
    #expect(rig.view?.transmit.state == .limiting)
    rig.tick(10)
    try rig.told(12_100)
    #expect(try rig.isSilent())
  }

  @Test("A phase of a connection's life may be ruled")
  func phase() throws {
    let rig = try ModuleRig(
      policy: PhaseTests.life([
        ({ $0.mode = .limit }, .octets(5_000)), ({ $0.mode = .early }, .octets(20_000)), ({ $0.mode = .limit }, nil),
      ]))
    try rig.open()
    var states: [SideState?] = []
    for place in stride(from: 0, to: 120_000, by: 1000) {
      _ = try rig.guest(at: place, 1000)
      states.append(rig.view?.transmit.state)
      _ = try rig.emissions(to: .network)
      _ = try rig.emissions(to: .guest)
      rig.tick(1)
      _ = try rig.network(ack: place + 1000)
    }
    #expect(states[2] == .limiting && states[10] == .accelerated && states[119] == .limiting)
    #expect(rig.module.heldChunks == 0)
  }

  @Test("It takes no part of the memory that others share, and nothing is read on for it")
  func shares() throws {
    let rig = try ModuleRig.limiting()
    #expect(rig.module.weightInUse == 0 && rig.module.limitingCount == 1)
    #expect(!rig.module.keepsSomething(Instant(nanoseconds: rig.now * 1_000_000)))
    // A connection without a part of the memory is ruled as well.
    let other = try ModuleRig.limiting { $0.bufferWeight = 0 }
    #expect(other.view?.transmit.state == .limiting)
  }

  @Test("A fragment ends it: what it carries can't be counted")
  func fragments() throws {
    let rig = try ModuleRig.limiting()
    #expect(try rig.passesFragment(fromGuest: true, at: 10_100, 1000))
    #expect(rig.view?.transmit.state == .passThrough)
    rig.tick(10)
    #expect(try rig.told(11_100).segment.window == ModuleRig.wideWindow)
  }
}
