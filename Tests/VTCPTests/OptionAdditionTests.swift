// SPDX-License-Identifier: Apache-2.0

import Arena
import Memory
import TCPPolicy
import Testing
import Timekeeping
import Wire

@testable import Simulation
@testable import VTCP

@Suite("R51: a SYN gets an option that it does not have")
struct OptionAdditionTests {
  private static let synAck = ModelSegment.syn | ModelSegment.ack

  private func rig(
    _ mode: AccelerationMode = .early, isPartial: Bool = false, _ change: (inout HeaderOverrides) -> Void = { _ in }
  ) throws -> ModuleRig {
    let rig = try ModuleRig {
      $0.flow.mode = mode
      $0.flow.overrides.addedOptions = .maximumSegmentSize
      change(&$0.flow.overrides)
    }
    rig.hasPartialChecksums = isPartial
    return rig
  }

  /// What else a SYN can offer.
  private func offer(_ segment: inout ModelSegment) {
    segment.windowScale = 3
    segment.permitsSACK = true
    segment.timestamp = (7, 0)
    segment.extraOptions = [34, 2, 253, 4, 1, 2]
  }

  /// Lengths, data offset and checksums aside, the SYN is what it was, with the option before the others.
  private func expectGrown(_ rig: ModuleRig, size: UInt16, isIPv6: Bool = false) {
    let tcp = isIPv6 ? 54 : 34
    var wanted = rig.before
    wanted.insert(contentsOf: [2, 4, UInt8(size >> 8), UInt8(size & 0xff)], at: tcp + 20)
    wanted[isIPv6 ? 19 : 17] += 4
    wanted[tcp + 12] += 0x10
    for place in [tcp + 16, tcp + 17] + (isIPv6 ? [] : [24, 25]) where place < rig.after.count {
      wanted[place] = rig.after[place]
    }
    #expect(rig.after == wanted)
  }

  @Test(
    "Either SYN gets a segment size, again if it comes again, and the module goes by what the ends see",
    arguments: AccelerationMode.allCases, [false, true])
  func either(mode: AccelerationMode, isPartial: Bool) throws {
    for offers in [false, true] {
      let rig = try rig(mode, isPartial: isPartial) { $0.maximumSegmentSize = 1200 }
      func form(_ segment: inout ModelSegment) { if offers { offer(&segment) } }
      for _ in 0..<2 {
        let syn = try #require(try rig.guest(ModelSegment.syn) { form(&$0) })
        #expect(syn.maximumSegmentSize == 1200)
        expectGrown(rig, size: 1200)
      }
      for _ in 0..<2 {
        let answer = try #require(try rig.network(Self.synAck) { form(&$0) })
        #expect(answer.maximumSegmentSize == 1200)
        expectGrown(rig, size: 1200)
      }
      let record = rig.module.store.flows[RecordIndex(rawValue: 1)]
      #expect(record.guestSYN.maximumSegmentSize == 1200 && record.networkSYN.maximumSegmentSize == 1200)
      _ = try rig.guest()
      #expect(rig.view?.phase == .established && rig.view?.passReason == PassReason.none)
      #expect(rig.before == rig.after)
    }
  }

  @Test(
    "Without a number it is what the NIC's link takes, no more than Ethernet's and no less than without the option",
    arguments: [
      (1500, 1460, 1440), (9000, 1460, 1440), (1400, 1360, 1340), (1300, 1260, 1240), (600, 560, 1220), (68, 536, 1220),
      (0, 536, 1220), (.max, 1460, 1440),
    ] as [(Int, UInt16, UInt16)], [true, false])
  func link(_ sizes: (mtu: Int, size4: UInt16, size6: UInt16), fromGuest: Bool) throws {
    for isIPv6 in [false, true] {
      let rig = try rig()
      rig.module.linkMTU = sizes.mtu
      let size = isIPv6 ? sizes.size6 : sizes.size4
      let syn =
        fromGuest
        ? try rig.guest(ModelSegment.syn) { $0.isIPv6 = isIPv6 }
        : try rig.network(ModelSegment.syn) { $0.isIPv6 = isIPv6 }
      #expect(try #require(syn).maximumSegmentSize == size)
      expectGrown(rig, size: size, isIPv6: isIPv6)
    }
  }

  @Test("A link that nobody has spoken of is Ethernet")
  func unknownLink() throws {
    #expect(try rig().guest(ModelSegment.syn)?.maximumSegmentSize == 1460)
  }

  @Test("Padding that has room for it becomes the option, and the frame does not grow")
  func padding() throws {
    for options in [[1, 1, 1, 1], [0, 0, 0, 0], [253, 3, 9, 1, 1, 1, 1, 1]] as [[UInt8]] {
      let rig = try rig()
      let syn = try #require(try rig.guest(ModelSegment.syn) { $0.extraOptions = options })
      #expect(syn.maximumSegmentSize == 1460 && rig.after.count == rig.before.count)
    }
    // What is taken out makes room as well.
    let rig = try rig { $0.strippedOptions = .timestamps }
    let syn = try #require(try rig.guest(ModelSegment.syn) { offer(&$0) })
    #expect(syn.maximumSegmentSize == 1460 && syn.timestamp == nil && syn.permitsSACK && syn.windowScale == 3)
    #expect(rig.after.count == rig.before.count)
    // With padding for it a SYN may have all its data.
    let other = try self.rig()
    let full = try #require(try other.guest(ModelSegment.syn, at: 0, 1000) { $0.extraOptions = [1, 1, 1, 1] })
    #expect(full.maximumSegmentSize == 1460 && full.payloadCount == 1000 && other.after.count == other.before.count)
  }

  @Test("A SYN that has one, has no room for it, is a reset or comes with much data stays as it is")
  func leftAlone() throws {
    let rig = try rig()
    func stays(_ flags: UInt8 = ModelSegment.syn, _ count: Int = 0, _ change: (inout ModelSegment) -> Void) throws {
      rig.guestPort += 1
      _ = try rig.guest(flags, at: 0, count, change)
      #expect(rig.before == rig.after)
    }
    try stays { $0.maximumSegmentSize = 400 }
    try stays { $0.extraOptions = [253, 40] + [UInt8](repeating: 7, count: 38) }
    try stays(ModelSegment.syn | ModelSegment.rst) { _ in }
    try stays(ModelSegment.syn, 1000) { $0.extraOptions = [34, 6, 1, 2, 3, 4] }
    // A full header but for the option.
    rig.guestPort += 1
    let full = try #require(
      try rig.guest(ModelSegment.syn) { $0.extraOptions = [253, 36] + [UInt8](repeating: 7, count: 34) })
    #expect(full.maximumSegmentSize == 1460 && rig.after.count == 94)
    // Data that lie in the first bytes move on.
    rig.guestPort += 1
    let little = try #require(try rig.guest(ModelSegment.syn, at: 0, 50) { $0.extraOptions = [34, 2] })
    #expect(little.payloadCount == 50 && little.maximumSegmentSize == 1460)
    expectGrown(rig, size: 1460)
    // Nothing but SYNs gets any.
    _ = try rig.guest(ModelSegment.ack)
    #expect(rig.before == rig.after)
  }

  @Test(
    "What is signed, MPTCP's or can't be read is left alone, and so are fragments, what is damaged and what has no record",
    arguments: [
      [19, 18] + [UInt8](repeating: 7, count: 16), [29, 4, 1, 1], [30, 4, 0, 0], [3, 3, 1, 3, 3, 1, 1, 1], [99, 1],
      [99, 60], [3, 4, 1, 1],
    ])
  func untouchable(options: [UInt8]) throws {
    for mode in [AccelerationMode.off, .early] {
      let rig = try rig(mode)
      for fromGuest in [true, false] {
        #expect(rig.passesUnchanged(ModelSegment.syn, fromGuest: fromGuest, options: options))
      }
    }
    let rig = try rig()
    #expect(try rig.passesFragmentOfSYN { _ in })
    #expect(
      rig.passesUnchanged(ModelSegment.syn, fromGuest: true) { frame, length in
        frame.store(frame.load(UInt8.self, at: 50) ^ 1, at: 50)
        return length
      })
    #expect(rig.module.flowCount == 0)
  }

  @Test("A frame that Ethernet has padded grows into its padding", arguments: [0, 2, 4, 6, 9])
  func ethernetPadding(count: Int) throws {
    let rig = try rig()
    let syn = try #require(try rig.guest(ModelSegment.syn))
    let wanted = rig.after
    #expect(syn.maximumSegmentSize == 1460)
    let after = try #require(try rig.replaced(fromGuest: true, padding: count))
    #expect(after == wanted + [UInt8](repeating: 0xee, count: max(0, count - 4)))
  }

  @Test("ECN that is offered in the guest's place stands in the same SYN, and its answer grows as well")
  func ecn() throws {
    for isPartial in [false, true] {
      let rig = try rig(isPartial: isPartial) { $0.ecn = .offer }
      let syn = try #require(try rig.guest(ModelSegment.syn))
      #expect(syn.flags == ModelSegment.syn | ModelSegment.ece | ModelSegment.cwr && syn.maximumSegmentSize == 1460)
      let answer = try #require(try rig.network(Self.synAck | ModelSegment.ece))
      #expect(answer.flags == Self.synAck && answer.maximumSegmentSize == 1460)
      _ = try rig.guest()
      #expect(rig.view?.bridgesECN == true && rig.view?.phase == .established)
    }
  }

  @Test("A window that is clamped and a segment size that is added stand in the same SYN")
  func clamped() throws {
    let rig = try rig {
      $0.windowClamp = 5_000
      $0.maximumSegmentSize = 700
    }
    let syn = try #require(try rig.guest(ModelSegment.syn))
    #expect(syn.window == 5_000 && syn.maximumSegmentSize == 700)
  }

  @Test("In mode off the SYNs grow and nothing else happens")
  func off() throws {
    let rig = try rig(.off)
    #expect(try rig.guest(ModelSegment.syn)?.maximumSegmentSize == 1460)
    #expect(try rig.network(Self.synAck)?.maximumSegmentSize == 1460)
    _ = try rig.guest()
    for place in stride(from: 0, to: 5_000, by: 1_000) {
      _ = try rig.guest(at: place, 1_000)
      #expect(rig.before == rig.after)
      _ = try rig.network(ack: place + 1_000)
      #expect(rig.before == rig.after)
    }
    #expect(try rig.emissions(to: .guest).isEmpty && rig.emissions(to: .network).isEmpty)
  }

  @Test("What the module sends itself is as large as the SYN says that it has let see")
  func segments() throws {
    let rig = try rig { $0.maximumSegmentSize = 800 }
    _ = try rig.guest(ModelSegment.syn)
    _ = try rig.network(Self.synAck)
    _ = try rig.guest()
    let flow = RecordIndex(rawValue: 1)
    for sender in [Leg.guest, .network] {
      #expect(rig.module.store[SideIndex(flow, sender: sender)].segmentSize == 800)
    }
  }

  @Test("A SYN that comes again under another policy says something else: from then on the connection passes as it is")
  func anotherPolicy() throws {
    let rig = try rig()
    _ = try rig.guest(ModelSegment.syn)
    rig.adopt { $0.mode = .early }
    _ = try rig.guest(ModelSegment.syn)
    #expect(rig.before == rig.after && rig.view?.passReason == .malformed)
  }
}
