// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
import Testing
import Wire

@testable import Simulation
@testable import VTCP

/// A FIN without data that overtakes the last data of its stream.
struct FINTests {
  /// The module holds copies of 500 octets behind 100 that are on their way, so it can't acknowledge anything yet.
  private func holding(_ sender: Leg) throws -> ModuleRig {
    let rig = try ModuleRig()
    try rig.open()
    _ = try send(rig, sender, at: 0, 100)
    _ = try send(rig, sender, at: 100, 100)
    _ = try acknowledge(rig, sender, 100)
    try #require(try send(rig, sender, at: 200, 400) != nil)
    try #require(side(rig, sender)?.state == .holding)
    return rig
  }

  private func side(_ rig: ModuleRig, _ sender: Leg) -> SideView? {
    sender == .guest ? rig.view?.transmit : rig.view?.receive
  }

  private func send(_ rig: ModuleRig, _ sender: Leg, _ flags: UInt8 = ModelSegment.ack, at place: Int, _ count: Int = 0)
    throws -> ModelSegment?
  {
    sender == .guest
      ? try rig.guest(flags, at: place, count) : try rig.network(flags, at: place, count)
  }

  private func acknowledge(_ rig: ModuleRig, _ sender: Leg, _ number: Int) throws -> ModelSegment? {
    sender == .guest ? try rig.network(ack: number) : try rig.guest(ack: number)
  }

  @Test(
    "1: while copies are held, data that a FIN has overtaken are not acknowledged before the receiver has them",
    arguments: [Leg.guest, .network])
  func overtakesWhileHolding(sender: Leg) throws {
    let rig = try holding(sender)
    // 600 to 700 are still under way.
    #expect(try send(rig, sender, ModelSegment.ack | ModelSegment.fin, at: 700) != nil)
    let passed = try #require(try acknowledge(rig, sender, 600))
    #expect(rig.acknowledged(passed, to: sender) == 600)
    #expect(try rig.emissions(to: sender).isEmpty)
    #expect(side(rig, sender)?.owned == 0)
    // They come, and all is acknowledged by the receiver alone.
    #expect(try send(rig, sender, at: 600, 100) != nil)
    #expect(try rig.emissions(to: sender).isEmpty)
    let last = try #require(try acknowledge(rig, sender, 701))
    #expect(rig.acknowledged(last, to: sender) == 701)
  }

  @Test(
    "1: so too when the receiver has acknowledged all that is held before the FIN comes",
    arguments: [Leg.guest, .network])
  func overtakesWhileAccelerated(sender: Leg) throws {
    let rig = try holding(sender)
    _ = try acknowledge(rig, sender, 600)
    try #require(side(rig, sender)?.state == .accelerated)
    #expect(try send(rig, sender, ModelSegment.ack | ModelSegment.fin, at: 700) != nil)
    #expect(try rig.emissions(to: sender).allSatisfy { rig.acknowledged($0, to: sender) <= 600 })
    _ = try acknowledge(rig, sender, 600)
    #expect(try rig.emissions(to: sender).allSatisfy { rig.acknowledged($0, to: sender) <= 600 })
    _ = try send(rig, sender, at: 600, 100)
    #expect(try rig.emissions(to: sender).allSatisfy { rig.acknowledged($0, to: sender) <= 700 })
    let last = try #require(side(rig, sender))
    #expect(last.acknowledged <= SequenceNumber.later(last.heldEnd, last.unacknowledged))
  }
}
