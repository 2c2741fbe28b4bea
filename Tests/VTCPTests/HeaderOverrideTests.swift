// SPDX-License-Identifier: Apache-2.0

import Arena
import Memory
import TCPPolicy
import Testing
import Timekeeping
import Wire

@testable import Simulation
@testable import VTCP

@Suite("R51: header fields that are changed because a rule says so")
struct HeaderOverrideTests {
  private static let synAck = ModelSegment.syn | ModelSegment.ack

  private func rig(
    _ mode: AccelerationMode, isPartial: Bool = false, _ change: (inout HeaderOverrides) -> Void
  ) throws -> ModuleRig {
    let rig = try ModuleRig {
      $0.flow.mode = mode
      change(&$0.flow.overrides)
    }
    rig.hasPartialChecksums = isPartial
    return rig
  }

  /// Everything that a SYN can offer.
  private func offer(_ segment: inout ModelSegment) {
    segment.maximumSegmentSize = 1460
    segment.windowScale = 3
    segment.permitsSACK = true
    segment.timestamp = (7, 0)
    segment.extraOptions = [34, 2, 253, 4, 1, 2]
  }

  @Test(
    "The segment size of either SYN is brought down, never up, with a right checksum; a partial one is left alone",
    arguments: [AccelerationMode.off, .snoop, .early], [false, true])
  func maximumSegmentSize(mode: AccelerationMode, isPartial: Bool) throws {
    for (offered, seen) in [(1460, 1200), (1200, 1200), (900, 900)] as [(UInt16, UInt16)] {
      let rig = try rig(mode, isPartial: isPartial) { $0.maximumSegmentSize = 1200 }
      let syn = try #require(try rig.guest(ModelSegment.syn) { $0.maximumSegmentSize = offered })
      #expect(syn.maximumSegmentSize == seen)
      let answer = try #require(try rig.network(Self.synAck) { $0.maximumSegmentSize = offered })
      #expect(answer.maximumSegmentSize == seen)
      // And once more, as it was lost.
      #expect(try rig.guest(ModelSegment.syn) { $0.maximumSegmentSize = offered }?.maximumSegmentSize == seen)
      #expect(rig.module.store.flows[RecordIndex(rawValue: 1)].guestSYN.maximumSegmentSize == seen)
    }
  }

  @Test("Where a SYN says no segment size, none is added")
  func noSegmentSize() throws {
    let rig = try rig(.early) { $0.maximumSegmentSize = 400 }
    _ = try rig.guest(ModelSegment.syn)
    #expect(rig.before == rig.after)
  }

  @Test(
    "ECN that is cleared is offered to nobody, whoever opens, and marks nothing of ours", arguments: [false, true],
    [false, true])
  func ecn(fromGuest: Bool, isAccurate: Bool) throws {
    let rig = try rig(.early) { $0.ecn = .clear }
    func offer(_ segment: inout ModelSegment) { segment.flags |= ModelSegment.ece | ModelSegment.cwr }
    rig.setsAE = isAccurate
    let syn = try #require(
      fromGuest ? try rig.guest(ModelSegment.syn) { offer(&$0) } : try rig.network(ModelSegment.syn) { offer(&$0) })
    #expect(syn.flags == ModelSegment.syn && rig.after[46] & 1 == 0)
    rig.setsAE = false
    let answer = try #require(
      fromGuest
        ? try rig.network(Self.synAck) { $0.flags |= ModelSegment.ece }
        : try rig.guest(Self.synAck) { $0.flags |= ModelSegment.ece })
    #expect(answer.flags == Self.synAck)
    _ = fromGuest ? try rig.guest() : try rig.network()
    let flow = RecordIndex(rawValue: 1)
    #expect(rig.view?.phase == .established && rig.view?.passReason == PassReason.none)
    for sender in [Leg.guest, .network] {
      #expect(!rig.module.store[SideIndex(flow, sender: sender)].flags.contains(.usesECN))
    }
  }

  @Test(
    "Options that are stripped become No-Operations in both SYNs' first words, and the module knows what is left",
    arguments: [false, true], [false, true])
  func strips(fromGuest: Bool, isPartial: Bool) throws {
    for (name, kinds) in HeaderOverrides.strippable {
      let rig = try rig(.early, isPartial: isPartial) { $0.strippedOptions = kinds }
      let syn = try #require(
        fromGuest ? try rig.guest(ModelSegment.syn) { offer(&$0) } : try rig.network(ModelSegment.syn) { offer(&$0) })
      #expect((syn.windowScale == nil) == (name == "windowScale"))
      #expect((syn.timestamp == nil) == (name == "timestamps"))
      #expect(syn.permitsSACK == (name != "sackPermitted"))
      #expect(syn.maximumSegmentSize == 1460)
      #expect(
        syn.extraOptions
          == (name == "fastOpen" ? [253, 4, 1, 2] : name == "unknown" ? [34, 2] : [34, 2, 253, 4, 1, 2]))
      // Nothing has moved.
      let changed = rig.before.indices.filter { rig.before[$0] != rig.after[$0] && !(50...51).contains($0) }
      #expect(changed.allSatisfy { $0 >= 54 && rig.after[$0] == 1 })
      let record = rig.module.store.flows[RecordIndex(rawValue: 1)]
      let facts = fromGuest ? record.guestSYN : record.networkSYN
      #expect(facts.kinds.isDisjoint(with: kinds) && facts.kinds.contains(.maximumSegmentSize))
      #expect(name != "windowScale" || facts.windowScale == 0)
    }
  }

  @Test(
    "An answer with what was taken out of the SYN is of a SYN that got through before: from then on all passes as it is"
  )
  func strippedAndAnswered() throws {
    let rig = try rig(.early) { $0.strippedOptions = .windowScale }
    _ = try rig.guest(ModelSegment.syn) { offer(&$0) }
    let answer = try #require(try rig.network(Self.synAck) { offer(&$0) })
    #expect(answer.windowScale == 3 && rig.before == rig.after)
    #expect(rig.view?.passReason == .malformed)
    let other = try self.rig(.early) { $0.strippedOptions = .windowScale }
    _ = try other.guest(ModelSegment.syn) { offer(&$0) }
    _ = try other.network(Self.synAck) {
      offer(&$0)
      $0.windowScale = nil
    }
    _ = try other.guest()
    #expect(other.view?.phase == .established && other.view?.passReason == PassReason.none)
  }

  @Test(
    "What is signed, MPTCP's or can't be read is left alone",
    arguments: [
      [19, 18] + [UInt8](repeating: 7, count: 16), [29, 4, 1, 1], [30, 4, 0, 0], [2, 4, 5, 180, 2, 4, 5, 180], [99, 1],
      [99, 60],
      [3, 4, 1, 1],
    ])
  func untouchable(options: [UInt8]) throws {
    for mode in [AccelerationMode.off, .early] {
      let rig = try rig(mode) {
        $0.maximumSegmentSize = 500
        $0.ecn = .clear
        $0.windowClamp = 2_000
        $0.strippedOptions = [.timestamps, .unknown]
      }
      for fromGuest in [true, false] {
        let flags = ModelSegment.syn | ModelSegment.ece | ModelSegment.cwr
        #expect(rig.passesUnchanged(flags, fromGuest: fromGuest, options: options))
      }
    }
  }

  @Test("Data that come with a SYN pass with it; a SYN in fragments passes as it is, and one whose checksum is wrong")
  func oddSYNs() throws {
    let rig = try rig(.early) {
      $0.maximumSegmentSize = 1000
      $0.strippedOptions = .fastOpen
    }
    let syn = try #require(try rig.guest(ModelSegment.syn, at: 0, 300) { offer(&$0) })
    #expect(syn.payloadCount == 300 && syn.maximumSegmentSize == 1000 && syn.extraOptions == [253, 4, 1, 2])
    rig.guestPort = 40_001
    #expect(try rig.passesFragmentOfSYN(offer))
    #expect(
      rig.passesUnchanged(ModelSegment.syn, fromGuest: true) { frame, length in
        frame.store(frame.load(UInt8.self, at: 50) ^ 1, at: 50)
        return length
      })
  }

  @Test("Without overrides a connection that is off is not followed; with them its SYNs are changed and nothing else")
  func off() throws {
    let without = try rig(.off) { _ in }
    try without.openAndTalk(offer)
    #expect(without.module.flowCount == 0)
    let with = try rig(.off) { $0.maximumSegmentSize = 1000 }
    try with.open()
    for place in stride(from: 0, to: 20_000, by: 1_000) {
      _ = try with.guest(at: place, 1_000)
      #expect(with.before == with.after)
      _ = try with.network(ack: place + 1_000)
      #expect(with.before == with.after)
    }
    #expect(try with.emissions(to: .guest).isEmpty && with.emissions(to: .network).isEmpty)
    // Once it is off without overrides, it is as any that is off.
    with.adopt { $0.mode = .off }
    #expect(with.passesUnchanged(fromGuest: true, at: 20_000, 700) { $1 })
  }

  // MARK: Windows

  private func edge(_ segment: ModelSegment, _ rig: ModuleRig) -> Int {
    rig.acknowledged(segment, to: .guest) + Int(segment.window)
  }

  @Test(
    "No window that an end sees is wider than it may be, and none is taken back",
    arguments: [
      AccelerationMode.off, .snoop, .early,
    ])
  func clamped(mode: AccelerationMode) throws {
    let rig = try rig(mode) { $0.windowClamp = 5_000 }
    let syn = try #require(try rig.guest(ModelSegment.syn) { $0.maximumSegmentSize = 1000 })
    #expect(syn.window == 5_000)
    _ = try rig.network(Self.synAck) { $0.maximumSegmentSize = 1000 }
    _ = try rig.guest()
    var highest = 0
    var seen = 0
    func look(_ segment: ModelSegment?) {
      guard let segment else { return }
      seen += 1
      #expect(segment.window <= 5_000 && segment.window > 3_000)
      let edge = edge(segment, rig)
      #expect(edge >= highest)
      highest = edge
    }
    _ = try rig.guest(at: 0, 100)
    look(try rig.network(ack: 100, window: 60_000))
    look(try rig.network(at: 0, 100, ack: 100, window: 60_000))
    _ = try rig.guest(at: 100, ack: 100)
    for place in stride(from: 100, to: 30_100, by: 1_000) {
      _ = try rig.guest(at: place, 1_000, ack: 100)
      for segment in try rig.emissions(to: .guest) { look(segment) }
      _ = try rig.emissions(to: .network)
      look(try rig.network(at: 100, ack: place + 1_000, window: 60_000))
      for segment in try rig.emissions(to: .guest) { look(segment) }
    }
    #expect(seen >= 30 && highest == 35_100)
    // A narrower one takes back nothing.
    rig.adopt {
      $0.mode = mode
      $0.overrides.windowClamp = 2_000
    }
    _ = try rig.guest(at: 30_100, 1_000, ack: 100)
    for segment in try rig.emissions(to: .guest) { #expect(edge(segment, rig) == highest) }
    _ = try rig.emissions(to: .network)
    let last = try rig.network(at: 100, ack: 31_100, window: 60_000)
    #expect(last.map { edge($0, rig) == highest } ?? (mode == .early), "\(String(describing: last))")
  }

  @Test("What a receiver's window does beyond the clamp is no news to the sender, who would take it for a duplicate")
  func opening() throws {
    let rig = try rig(.off) { $0.windowClamp = 5_000 }
    try rig.openAndTalk()
    #expect(try rig.guest(at: 100, 1_000, ack: 100) != nil)
    #expect(try rig.network(at: 100, ack: 100, window: 30_000) == nil)
    #expect(try rig.network(at: 100, ack: 100, window: 4_000) != nil)
    #expect(try rig.network(at: 100, ack: 100, window: 4_000)?.window == 4_000)
    #expect(try rig.network(at: 100, ack: 1_100, window: 30_000)?.window == 5_000)
  }

  @Test(
    "A clamp that goes, and comes again: an acknowledgment from before has shown what it says, not what was said since")
  func shownBefore() throws {
    // By the short way and by the long one.
    for usesShortWay in [true, false] {
      let rig = try rig(.off) { $0.windowClamp = 2_000 }
      rig.module.usesShortWay = usesShortWay
      try rig.openAndTalk { $0.window = 1_500 }
      _ = try rig.guest(at: 100, 1_000, ack: 100)
      #expect(try rig.network(at: 100, ack: 1_100, window: 20_000)?.window == 2_000)
      rig.adopt { $0.mode = .off }
      #expect(try rig.network(at: 100, ack: 600, window: 5_000)?.window == 5_000)
      rig.adopt {
        $0.mode = .off; $0.overrides.windowClamp = 2_000
      }
      #expect(try rig.network(at: 100, ack: 1_100, window: 20_000)?.window == 4_500)
    }
  }

  @Test("A window that counts in units is never clamped to none")
  func units() throws {
    let rig = try rig(.off) { $0.windowClamp = 1 }
    try rig.open { $0.windowScale = 14 }
    _ = try rig.guest(at: 0, 100)
    #expect(try rig.network(ack: 100, window: 100)?.window == 1)
  }

  @Test("Phases change windows as well; the SYNs are those of the first")
  func phases() throws {
    let rig = try ModuleRig(
      policy: PhaseTests.life([
        ({ $0.overrides.maximumSegmentSize = 700 }, .established),
        (
          {
            $0.mode = .off; $0.overrides.windowClamp = 3_000
          }, nil
        ),
      ]))
    let syn = try #require(try rig.guest(ModelSegment.syn) { $0.maximumSegmentSize = 1000 })
    #expect(syn.maximumSegmentSize == 700 && syn.window == 20_000)
    _ = try rig.network(Self.synAck) { $0.maximumSegmentSize = 1000 }
    _ = try rig.guest()
    for place in stride(from: 0, to: 20_000, by: 1_000) {
      _ = try rig.guest(at: place, 1_000)
      _ = try rig.network(ack: place + 1_000)
    }
    _ = try rig.guest(at: 20_000, 1_000)
    #expect(try rig.network(ack: 21_000)?.window == 3_000)
    // One of the next connection of these ends is in its first phase again.
    let next = try #require(
      try rig.guest(ModelSegment.syn) {
        $0.maximumSegmentSize = 1000
        $0.sequence &+= 1_000_000
      })
    #expect(next.maximumSegmentSize == 700 && next.window == 20_000)
  }
}
