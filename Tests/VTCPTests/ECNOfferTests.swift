// SPDX-License-Identifier: Apache-2.0

import Arena
import CongestionControl
import TCPPolicy
import Testing
import Timekeeping
import Wire

@testable import Simulation
@testable import VTCP

@Suite("R51: ECN (RFC 3168) in the place of a guest that does not use it")
struct ECNOfferTests {
  static let (syn, ack) = (ModelSegment.syn, ModelSegment.ack)
  static let (ece, cwr) = (ModelSegment.ece, ModelSegment.cwr)
  static let (marked, capable): (UInt8, UInt8) = (3, 2)
  static let flow = RecordIndex(rawValue: 1)

  func rig(
    _ mode: AccelerationMode = .early, isPartial: Bool = false, _ change: (inout FlowConfiguration) -> Void = { _ in }
  ) throws -> ModuleRig {
    let rig = try ModuleRig {
      $0.flow.mode = mode
      $0.flow.overrides.ecn = .offer
      change(&$0.flow)
    }
    rig.hasPartialChecksums = isPartial
    return rig
  }

  func flags(_ rig: ModuleRig, _ sender: Leg) -> SideFlags {
    rig.module.store[SideIndex(Self.flow, sender: sender)].flags
  }

  func ecn(_ segment: ModelSegment?) throws -> (flags: UInt8, codepoint: UInt8) {
    let segment = try #require(segment)
    return (segment.flags & (Self.ece | Self.cwr), segment.ecn)
  }

  /// The handshake with an end that accepts, and 100 octets each way.
  func talk(_ rig: ModuleRig, isIPv6: Bool = false) throws {
    func form(_ segment: inout ModelSegment) {
      segment.isIPv6 = isIPv6
      if segment.has(Self.syn) { segment.maximumSegmentSize = 1000 }
      if segment.flags == Self.syn | Self.ack { segment.flags |= Self.ece }
    }
    _ = try rig.guest(Self.syn) { form(&$0) }
    _ = try rig.network(Self.syn | Self.ack) { form(&$0) }
    _ = try rig.guest { form(&$0) }
    _ = try rig.guest(at: 0, 100, form)
    _ = try rig.network(at: 0, ack: 100) { form(&$0) }
    _ = try rig.network(at: 0, 100, ack: 100, form)
    _ = try rig.guest(at: 100, ack: 100) { form(&$0) }
    #expect(rig.view?.phase == .established && rig.view?.bridgesECN == true)
  }

  // MARK: SYNs

  @Test(
    "The guest's SYN offers it, the answer is not shown; a SYN that is sent again goes as it is", arguments: [4, 6],
    [false, true])
  func guestOpens(version: Int, isPartial: Bool) throws {
    let rig = try rig(isPartial: isPartial && version == 4)
    func form(_ segment: inout ModelSegment) { segment.isIPv6 = version == 6 }
    #expect(try rig.guest(Self.syn) { form(&$0) }?.flags == Self.syn | Self.ece | Self.cwr)
    #expect(
      try rig.network(Self.syn | Self.ack) {
        form(&$0); $0.flags |= Self.ece
      }?.flags == Self.syn | Self.ack)
    #expect(try rig.guest(Self.ack) { form(&$0) }?.flags == Self.ack)
    #expect(flags(rig, .guest).contains(.usesECN) && !flags(rig, .network).contains(.usesECN))
    // The answer again, since the guest's acknowledgment was lost.
    #expect(
      try rig.network(Self.syn | Self.ack) {
        form(&$0); $0.flags |= Self.ece
      }?.flags == Self.syn | Self.ack)

    let other = try self.rig()
    _ = try other.guest(Self.syn) { form(&$0) }
    #expect(try other.guest(Self.syn) { form(&$0) }?.flags == Self.syn && other.before == other.after)
    #expect(
      try other.network(Self.syn | Self.ack) {
        form(&$0); $0.flags |= Self.ece
      }?.flags == Self.syn | Self.ack)
    _ = try other.guest(Self.ack) { form(&$0) }
    // RFC 3168 §6.1.1: nothing of ours may be marked, and what is marked is to be echoed.
    #expect(!flags(other, .guest).contains(.usesECN) && other.view?.bridgesECN == true)
    #expect(
      try ecn(
        other.network(at: 0, 100) {
          form(&$0); $0.ecn = Self.marked
        }) == (0, 0))
    #expect(try ecn(other.guest(at: 0, 50, ack: 100, form)) == (Self.ece, 0))
  }

  @Test(
    "The guest's answer accepts what the network offers; what the guest accepts itself is its own", arguments: [4, 6])
  func networkOpens(version: Int) throws {
    for accepts in [false, true] {
      let rig = try rig()
      func form(_ segment: inout ModelSegment) { segment.isIPv6 = version == 6 }
      let offer = try rig.network(Self.syn) {
        form(&$0); $0.flags |= Self.ece | Self.cwr
      }
      #expect(offer?.flags == Self.syn | Self.ece | Self.cwr && rig.before == rig.after)
      for _ in 0..<2 {
        let answer = try rig.guest(Self.syn | Self.ack) {
          form(&$0); if accepts { $0.flags |= Self.ece }
        }
        #expect(answer?.flags == Self.syn | Self.ack | Self.ece)
      }
      _ = try rig.network(Self.ack) { form(&$0) }
      #expect(rig.view?.phase == .established && rig.view?.bridgesECN == !accepts)
      #expect(flags(rig, .guest).contains(.usesECN) && flags(rig, .network).contains(.usesECN) == accepts)
    }
    // Without an offer there is nothing to accept, and one that was taken back is none.
    let rig = try rig()
    _ = try rig.network(Self.syn) { $0.flags |= Self.ece | Self.cwr }
    _ = try rig.network(Self.syn)
    #expect(try rig.guest(Self.syn | Self.ack)?.flags == Self.syn | Self.ack)
    _ = try rig.network()
    #expect(rig.view?.phase == .established && rig.view?.bridgesECN == false)
  }

  @Test("Refused, or answered with what is no answer, it is none; nothing of it is shown", arguments: [0, 128, 192])
  func refused(answer: UInt8) throws {
    let rig = try rig()
    _ = try rig.guest(Self.syn)
    #expect(try rig.network(Self.syn | Self.ack) { $0.flags |= answer }?.flags == Self.syn | Self.ack)
    _ = try rig.guest()
    #expect(rig.view?.phase == .established && rig.view?.bridgesECN == false)
    #expect(!flags(rig, .guest).contains(.usesECN))
    _ = try rig.guest(at: 0, 100)
    _ = try rig.network(at: 0, 100, ack: 100)
    _ = try rig.guest(at: 100, ack: 100)
    #expect(try ecn(rig.guest(at: 100, 500, ack: 100)) == (0, 0))
  }

  @Test("Who offers ECN itself, whole or in part, has its own", arguments: [64, 128, 192] as [UInt8])
  func ownOffer(offer: UInt8) throws {
    let rig = try rig()
    _ = try rig.guest(Self.syn) { $0.flags |= offer }
    #expect(rig.before == rig.after && rig.view?.bridgesECN == false)
    #expect(try rig.network(Self.syn | Self.ack) { $0.flags |= Self.ece }?.flags == Self.syn | Self.ack | Self.ece)
    _ = try rig.guest()
    #expect(flags(rig, .network).contains(.usesECN) == (offer == Self.ece | Self.cwr))
  }

  @Test("Accurate ECN is left alone, whoever offers it")
  func accurate() throws {
    for fromGuest in [true, false] {
      let rig = try rig()
      rig.setsAE = true
      func offer(_ segment: inout ModelSegment) { segment.flags |= Self.ece | Self.cwr }
      _ = fromGuest ? try rig.guest(Self.syn) { offer(&$0) } : try rig.network(Self.syn) { offer(&$0) }
      #expect(rig.before == rig.after && rig.view?.passReason == .accurateECN)
      rig.setsAE = false
      _ = fromGuest ? try rig.network(Self.syn | Self.ack) : try rig.guest(Self.syn | Self.ack)
      #expect(rig.before == rig.after && rig.view?.bridgesECN == false)
    }
  }

  @Test("It is not offered where nobody would answer marks, nor for what may not be touched")
  func notOffered() throws {
    let changes: [(inout FlowConfiguration) -> Void] = [
      { $0.mode = .off }, { $0.congestionAlgorithm = .none }, { $0.bufferWeight = 0 },
    ]
    for change in changes {
      let rig = try rig(.early, change)
      #expect(try rig.guest(Self.syn)?.flags == Self.syn)
      #expect(rig.module.flowCount == (rig.module.policies.isOff ? 0 : 1))
    }
    let quiescing = try rig()
    quiescing.module.setQuiescing(true, now: Instant(nanoseconds: 0))
    #expect(try quiescing.guest(Self.syn)?.flags == Self.syn)
    for options in [
      [19, 18] + [UInt8](repeating: 7, count: 16), [30, 4, 0, 0], [2, 4, 5, 180, 2, 4, 5, 180],
    ] {
      let rig = try rig()
      #expect(try rig.guest(Self.syn) { $0.extraOptions = options }?.flags == Self.syn)
    }
  }

  @Test("Without a record it is not offered")
  func noRecord() throws {
    let rig = try rig()
    for port in 0..<8 {
      rig.guestPort = 40_000 + UInt16(port)
      try rig.open()
    }
    rig.guestPort = 50_000
    #expect(try rig.guest(Self.syn)?.flags == Self.syn)
  }

  @Test("The SYN of a next connection of these ends goes as it is, and its answer")
  func successor() throws {
    let rig = try rig()
    try talk(rig)
    func next(_ segment: inout ModelSegment) { segment.sequence &+= 1_000_000 }
    #expect(try rig.guest(Self.syn) { next(&$0) }?.flags == Self.syn)
    let answer = try rig.network(Self.syn | Self.ack) {
      $0.acknowledgment &+= 1_000_000
      $0.sequence &+= 500_000
    }
    #expect(answer?.flags == Self.syn | Self.ack && rig.view?.bridgesECN == false)
  }

  @Test("A new attempt of the same ends, with another number, is offered anew")
  func nextAttempt() throws {
    let rig = try rig()
    _ = try rig.guest(Self.syn)
    #expect(try rig.guest(Self.syn) { $0.sequence &+= 7 }?.flags == Self.syn | Self.ece | Self.cwr)
    rig.adopt { $0.overrides.ecn = .keep }
    #expect(try rig.guest(Self.syn) { $0.sequence &+= 8 }?.flags == Self.syn && rig.view?.bridgesECN == false)
    rig.adopt { $0.overrides.ecn = .offer }
    #expect(try rig.guest(Self.syn) { $0.sequence &+= 9 }?.flags == Self.syn | Self.ece | Self.cwr)
    // Who was asked is heard, whatever policy says meanwhile.
    rig.adopt { $0.overrides.ecn = .clear }
    let answer = try rig.network(Self.syn | Self.ack) {
      $0.flags |= Self.ece
      $0.acknowledgment &+= 9
    }
    #expect(answer?.flags == Self.syn | Self.ack)
    _ = try rig.guest { $0.sequence &+= 9 }
    #expect(rig.view?.phase == .established && rig.view?.bridgesECN == true)
    let other = try self.rig { $0.overrides.ecn = .keep }
    #expect(try other.guest(Self.syn)?.flags == Self.syn)
    other.adopt { $0.overrides.ecn = .offer }
    #expect(try other.guest(Self.syn)?.flags == Self.syn)
    #expect(try other.guest(Self.syn) { $0.sequence &+= 9 }?.flags == Self.syn | Self.ece | Self.cwr)
  }
}
