// SPDX-License-Identifier: Apache-2.0

import Arena
import TCPPolicy
import Testing
import Wire

@testable import Simulation
@testable import VTCP

@Suite("R51: what policy did to a SYN holds for its answer, whatever policy says by then")
struct SYNDecisionTests {
  private static let (syn, ack) = (ModelSegment.syn, ModelSegment.ack)
  private static let (ece, cwr) = (ModelSegment.ece, ModelSegment.cwr)
  private static let offer = syn | ece | cwr

  private func rig(_ ecn: ECNOverride) throws -> ModuleRig {
    try ModuleRig { $0.flow.overrides.ecn = ecn }
  }

  private func open(_ rig: ModuleRig, fromGuest: Bool, _ flags: UInt8, number: UInt32 = 0) throws -> UInt8? {
    fromGuest
      ? try rig.guest(flags) { $0.sequence &+= number }?.flags
      : try rig.network(flags) { $0.sequence &+= number }?.flags
  }

  private func answer(_ rig: ModuleRig, fromGuest: Bool, _ flags: UInt8, number: UInt32 = 0) throws -> UInt8? {
    fromGuest
      ? try rig.network(flags) { $0.acknowledgment &+= number }?.flags
      : try rig.guest(flags) { $0.acknowledgment &+= number }?.flags
  }

  private func usesECN(_ rig: ModuleRig) -> [Bool] {
    [Leg.guest, .network].map {
      rig.module.store[SideIndex(RecordIndex(rawValue: 1), sender: $0)].flags.contains(.usesECN)
    }
  }

  @Test(
    "An offer of ECN that has left is heard of, and so is its acceptance: else one end would speak it alone",
    arguments: [false, true])
  func offered(fromGuest: Bool) throws {
    let rig = try rig(.keep)
    #expect(try open(rig, fromGuest: fromGuest, Self.offer) == Self.offer)
    rig.adopt { $0.overrides.ecn = .clear }
    // Sent again, since the answer may be on its way to it.
    #expect(try open(rig, fromGuest: fromGuest, Self.offer) == Self.offer)
    #expect(try answer(rig, fromGuest: fromGuest, Self.syn | Self.ack | Self.ece) == Self.syn | Self.ack | Self.ece)
    #expect(try answer(rig, fromGuest: fromGuest, Self.syn | Self.ack | Self.ece) == Self.syn | Self.ack | Self.ece)
    _ = fromGuest ? try rig.guest() : try rig.network()
    #expect(rig.view?.phase == .established && usesECN(rig) == [true, true])
  }

  @Test("That is so as well if the SYN went again without the offer, as kernels do it", arguments: [false, true])
  func offeredOnce(fromGuest: Bool) throws {
    let rig = try rig(.keep)
    _ = try open(rig, fromGuest: fromGuest, Self.offer)
    rig.adopt { $0.overrides.ecn = .clear }
    #expect(try open(rig, fromGuest: fromGuest, Self.syn) == Self.syn)
    #expect(try answer(rig, fromGuest: fromGuest, Self.syn | Self.ack | Self.ece) == Self.syn | Self.ack | Self.ece)
  }

  @Test("An offer that was cleared stays so; a SYN with another number is another decision", arguments: [false, true])
  func cleared(fromGuest: Bool) throws {
    let rig = try rig(.clear)
    #expect(try open(rig, fromGuest: fromGuest, Self.offer) == Self.syn)
    #expect(try answer(rig, fromGuest: fromGuest, Self.syn | Self.ack | Self.ece) == Self.syn | Self.ack)
    rig.adopt { $0.overrides.ecn = .keep }
    #expect(try open(rig, fromGuest: fromGuest, Self.offer, number: 7) == Self.offer)
    rig.adopt { $0.overrides.ecn = .clear }
    #expect(
      try answer(rig, fromGuest: fromGuest, Self.syn | Self.ack | Self.ece, number: 7)
        == Self.syn | Self.ack | Self.ece)
    #expect(try open(rig, fromGuest: fromGuest, Self.offer, number: 8) == Self.syn)
    #expect(
      try answer(rig, fromGuest: fromGuest, Self.syn | Self.ack | Self.ece, number: 8) == Self.syn | Self.ack)
  }

  @Test("So with the SYN of a next connection, while the one before stands", arguments: [false, true])
  func successor(fromGuest: Bool) throws {
    let rig = try rig(.keep)
    try rig.openAndTalk()
    let next: UInt32 = 1_000_000
    #expect(try open(rig, fromGuest: fromGuest, Self.offer, number: next) == Self.offer)
    rig.adopt { $0.overrides.ecn = .clear }
    #expect(try open(rig, fromGuest: fromGuest, Self.offer, number: next) == Self.offer)
    func form(_ segment: inout ModelSegment) {
      segment.acknowledgment &+= next
      segment.sequence &+= 500_000
    }
    let flags = Self.syn | Self.ack | Self.ece
    let passed = fromGuest ? try rig.network(flags) { form(&$0) } : try rig.guest(flags) { form(&$0) }
    #expect(passed?.flags == flags)
  }

  @Test("A guest's SYN-ACK that has refused is not sent again with the acceptance that policy wants by then")
  func refused() throws {
    let rig = try rig(.keep)
    #expect(try rig.network(Self.offer)?.flags == Self.offer)
    #expect(try rig.guest(Self.syn | Self.ack)?.flags == Self.syn | Self.ack)
    rig.adopt { $0.overrides.ecn = .offer }
    #expect(try rig.guest(Self.syn | Self.ack)?.flags == Self.syn | Self.ack)
    _ = try rig.network()
    #expect(rig.view?.phase == .established && rig.view?.bridgesECN == false && usesECN(rig) == [false, false])
  }

  @Test("Options that were taken out of the SYN are not expected in its answer; those that were not may be there")
  func stripped() throws {
    func form(_ segment: inout ModelSegment) { segment.timestamp = (7, 0) }
    for wasStripped in [false, true] {
      let rig = try ModuleRig { if wasStripped { $0.flow.overrides.strippedOptions = .timestamps } }
      #expect(try (rig.guest(Self.syn) { form(&$0) }?.timestamp == nil) == wasStripped)
      rig.adopt { if !wasStripped { $0.overrides.strippedOptions = .timestamps } }
      _ = try rig.network(Self.syn | Self.ack) { form(&$0) }
      // With it, the network's end has seen another SYN than we.
      #expect(rig.view?.passReason == (wasStripped ? .malformed : PassReason.none))
    }
  }
}
