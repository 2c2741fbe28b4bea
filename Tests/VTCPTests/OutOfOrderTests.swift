// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
import Testing
import Wire

@testable import Simulation
@testable import VTCP

@Suite("Data ahead of their turn, and data that come twice")
struct OutOfOrderTests {
  @Test("R27, 18: who sends again what was acknowledged is told at once, with what came twice")
  func duplicateReport() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk { $0.permitsSACK = true }
    for packet in 0..<3 { _ = try rig.network(at: 100 + 500 * packet, 500, ack: 100) }
    _ = try rig.emissions(to: .network)
    #expect(try rig.network(at: 600, 500, ack: 100) == nil)
    let told = try rig.emissions(to: .network)
    #expect(told.map { rig.acknowledged($0, to: .network) } == [1600])
    #expect(told.first.map { rig.blocks($0, to: .network) } == [600..<1100])
    // Once.
    _ = try rig.network(at: 1600, 500, ack: 100)
    #expect(try rig.emissions(to: .network).first?.blocks.isEmpty == true)
  }

  @Test(
    "R23: what came ahead of its turn is kept, said to be there, and goes on when the gap is filled, without a pause")
  func outOfOrderStore() throws {
    let rig = try ModuleRig { $0.flow.outOfOrderStoreSize = 10_000 }
    try rig.openAndTalk { $0.permitsSACK = true }
    _ = try rig.network(at: 100, 500, ack: 100)
    _ = try rig.emissions(to: .network)
    for place in [1100, 2100] {
      #expect(try rig.network(at: place, 500, ack: 100) == nil)
      let told = try rig.emissions(to: .network)
      #expect(told.map { rig.acknowledged($0, to: .network) } == [600])
      #expect(told.first.map { rig.blocks($0, to: .network).first } == place..<place + 500)
    }
    #expect(rig.view?.receive.owned == 500)
    #expect(rig.view?.receive.state == .accelerated)
    // The gap, and a little more: all before the second gap is acknowledged, and goes on.
    #expect(try rig.network(at: 600, 600, ack: 100) != nil)
    let filled = try rig.emissions(to: .network)
    #expect(filled.map { rig.acknowledged($0, to: .network) } == [1600])
    #expect(filled.first.map { rig.blocks($0, to: .network) } == [2100..<2600])
    #expect(try rig.emissions(to: .guest).map { rig.place($0, to: .guest) } == [1200])
    _ = try rig.network(at: 1600, 500, ack: 100)
    #expect(try rig.emissions(to: .network).map { rig.acknowledged($0, to: .network) } == [2600])
    #expect(rig.view?.receive.state == .accelerated)
    // Nothing of it is owed any more once the receiver has it.
    _ = try rig.emissions(to: .guest)
    _ = try rig.guest(at: 100, ack: 2600)
    #expect(rig.module.ownedOctets == 0)
    #expect(rig.module.heldChunks == 0)
  }

  @Test("R23: without SACK the sender gets a duplicate acknowledgment for each segment behind a gap")
  func outOfOrderWithoutSACK() throws {
    let rig = try ModuleRig { $0.flow.outOfOrderStoreSize = 10_000 }
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    _ = try rig.emissions(to: .network)
    for packet in 1...3 { _ = try rig.network(at: 600 + 500 * packet, 500, ack: 100) }
    let told = try rig.emissions(to: .network)
    #expect(told.map { rig.acknowledged($0, to: .network) } == [600, 600, 600])
    #expect(told.allSatisfy { $0.blocks.isEmpty })
  }

  @Test("A FIN that comes with data that are held already is taken with them")
  func finWithHeldData() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    #expect(try rig.network(ModelSegment.ack | ModelSegment.fin, at: 100, 500, ack: 100)?.has(ModelSegment.fin) == true)
    #expect(rig.view?.receive.state == .accelerated)
    #expect(rig.view?.receive.owned == 500)
  }
}
