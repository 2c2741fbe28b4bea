// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
import Testing
import Timekeeping
import Wire

@testable import Simulation
@testable import VTCP

@Suite("Paths that are narrower than their ends think")
struct PathTests {
  @Test(
    "40: what is owned is cut anew and sent again at once; the guest, which has an acknowledgment for it, is not told")
  func ownedData() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    _ = try rig.guest(at: 100, 900, ack: 100)
    _ = try rig.emissions(to: .guest)
    #expect(try !rig.passesNotice(at: 100, largest: 600))
    let again = try rig.emissions(to: .network)
    #expect(again.map { rig.place($0, to: .network) } == [100, 660])
    #expect(again.map(\.payloadCount) == [560, 340])
    // It is no congestion.
    let window = rig.view?.transmit.congestionWindow
    #expect(window == 10_000)
    // The same of another segment changes nothing more.
    #expect(try !rig.passesNotice(at: 660, largest: 600))
    #expect(try rig.emissions(to: .network).isEmpty)
  }

  @Test("41: from then on what the guest sends in larger segments goes on in smaller ones")
  func laterData() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    _ = try rig.guest(at: 100, 900, ack: 100)
    _ = try rig.passesNotice(at: 100, largest: 600)
    _ = try rig.emissions(to: .network)
    _ = try rig.network(at: 100, ack: 1000)
    #expect(try rig.guest(at: 1000, 900, ack: 100) == nil)
    #expect(try rig.emissions(to: .network).map(\.payloadCount) == [560, 340])
    #expect(try rig.guest(at: 1900, 500, ack: 100) != nil)
  }

  @Test("40: a word of what is not on its way, or that asks for too little, changes nothing and passes")
  func implausible() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    _ = try rig.guest(at: 100, 900, ack: 100)
    for (place, largest) in [(50, 600), (1000, 600), (5000, 600), (100, 551), (100, 0)] {
      #expect(try rig.passesNotice(at: place, largest: largest), "\(place), \(largest)")
    }
    #expect(try rig.emissions(to: .network).isEmpty)
    #expect(rig.module.counters.implausible == 5)
    #expect(rig.module.counters.narrowedPaths == 0)
  }

  @Test("40: of what is the guest's own affair it is told")
  func ownAffair() throws {
    let rig = try ModuleRig { $0.flow.mode = .snoop }
    try rig.openAndTalk()
    _ = try rig.guest(at: 100, 900, ack: 100)
    #expect(try rig.passesNotice(at: 100, largest: 600))
  }
}
