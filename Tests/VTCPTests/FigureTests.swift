// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
import Testing
import Timekeeping
import Wire

@testable import Simulation
@testable import VTCP

/// The flow charts of US 9,385,959 as they are drawn, in the receive direction (FIG. 6): the network sends, the guest receives.
@Suite("Figures 9 to 13 of the patent")
struct FigureTests {
  @Test("FIG. 9: a packet is received (910), a copy is kept (920) before it goes on to the receiver (930)")
  func figure9() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    let held = rig.module.heldChunks
    let passed = try rig.network(at: 100, 500, ack: 100)
    #expect(passed?.payloadCount == 500)
    #expect(rig.module.heldChunks > held)
    let side = try #require(rig.view?.receive)
    #expect(side.heldEnd - side.heldStart == 500)
    // The receiver never saw what passed: the copy is as good.
    #expect(try rig.passTime())
    let again = try rig.emissions(to: .guest)
    #expect(again.map(\.payloadCount) == [500])
  }

  @Test(
    "FIG. 10: the sender is acknowledged early (1010); the receiver's own acknowledgment comes (1020) and is dropped (1030)"
  )
  func figure10() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    let early = try rig.emissions(to: .network)
    #expect(early.map { rig.acknowledged($0, to: .network) } == [600])
    #expect(early.first?.payloadCount == 0)
    #expect(rig.view?.receive.owned == 500)
    let late = try rig.guest(at: 100, ack: 600)
    #expect(late == nil)
    #expect(rig.view?.receive.owned == 0)
    #expect(try rig.emissions(to: .network).isEmpty)
  }

  @Test("FIG. 11: without an acknowledgment of the receiver in time (1110) it is sent again (1120), after r, 2r, 4r")
  func figure11() throws {
    let rig = try ModuleRig { $0.flow.minimumTimeout = .milliseconds(200) }
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    _ = try rig.emissions(to: .network)
    var times: [Int64] = []
    for _ in 0..<4 {
      #expect(try rig.passTime())
      let again = try rig.emissions(to: .guest)
      #expect(again.map { rig.place($0, to: .guest) } == [100])
      times.append(rig.now)
    }
    let spans = zip(times.dropFirst(), times).map { Double($0 - $1) }
    #expect(abs(spans[1] / spans[0] - 2) < 0.05 && abs(spans[2] / spans[1] - 2) < 0.05, "\(spans)")
    // The receiver has it at last: no more.
    _ = try rig.guest(at: 100, ack: 600)
    #expect(try !rig.passTime())
  }

  @Test(
    "FIG. 12: as many duplicates as the threshold says, and the packet that they name is sent again", arguments: 1...3)
  func figure12(threshold: Int) throws {
    let rig = try ModuleRig { $0.flow.duplicateAcknowledgmentThreshold = UInt8(threshold) }
    try rig.openAndTalk()
    for packet in 0..<5 { _ = try rig.network(at: 100 + 500 * packet, 500, ack: 100) }
    _ = try rig.emissions(to: .network)
    // The first acknowledgment, of the first packet; the second packet is lost.
    _ = try rig.guest(at: 100, ack: 600)
    for duplicate in 1...threshold {
      #expect(try rig.emissions(to: .guest).isEmpty, "before duplicate \(duplicate)")
      #expect(try rig.guest(at: 100, ack: 600) == nil)
    }
    let again = try rig.emissions(to: .guest)
    #expect(again.first.map { rig.place($0, to: .guest) } == 600)
    #expect(again.first?.payloadCount ?? 0 >= 500)
  }

  @Test(
    "FIG. 13: with the receiver's window closed (1310) new data are not acknowledged early (1320) until it opens (1330, 1340)"
  )
  func figure13() throws {
    let rig = try ModuleRig { $0.flow.shutWindow = .stop }
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    #expect(try rig.emissions(to: .network).count == 1)
    _ = try rig.guest(at: 100, ack: 600, window: 0)
    #expect(rig.view?.receive.state == .draining)
    // The sender was shown more before, and may use it.
    _ = try rig.network(at: 600, 500, ack: 100)
    #expect(try rig.emissions(to: .network).isEmpty)
    #expect(rig.view?.receive.acknowledged == rig.view?.receive.unacknowledged)
    let opened = try rig.guest(at: 100, ack: 600, window: 20_000)
    #expect(rig.view?.receive.state == .accelerated)
    #expect(opened.map { rig.acknowledged($0, to: .network) } == 1100)
  }
}
