// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import TCPPolicy
import Testing
import Timekeeping

@testable import Simulation
@testable import VTCP

// What passes, and what the module sends, where ECN is spoken in the guest's place.

extension ECNOfferTests {
  // MARK: What the guest sends

  @Test(
    "New data say ECT, with right checksums, as they pass and as we send them; nothing else does", arguments: [4, 6],
    [false, true])
  func capable(version: Int, isPartial: Bool) throws {
    let rig = try rig(isPartial: isPartial && version == 4)
    func form(_ segment: inout ModelSegment) { segment.isIPv6 = version == 6 }
    try talk(rig, isIPv6: version == 6)
    #expect(try ecn(rig.guest(at: 100, 1000, ack: 100, form)) == (0, Self.capable))
    #expect(rig.view?.transmit.state == .accelerated)
    _ = try rig.network(at: 100, ack: 1100, form)
    #expect(try ecn(rig.guest(at: 1100, 1000, ack: 100, form)) == (0, Self.capable))
    #expect(try ecn(rig.guest(at: 2100, ack: 100, form)) == (0, 0))
    // Beyond the receiver's window it waits, and goes later from here.
    _ = try rig.network(at: 100, ack: 2100, window: 500, form)
    #expect(try rig.guest(at: 2100, 1000, ack: 100, form) == nil)
    _ = try rig.emissions(to: .network)
    _ = try rig.network(at: 100, ack: 2100, form)
    let sent = try rig.emissions(to: .network).filter { $0.payloadCount > 0 }
    #expect(sent.map(\.ecn) == [Self.capable] && sent.first?.isIPv6 == (version == 6))
    // What is lost goes again without.
    for _ in 0..<8 {
      rig.tick(400)
      let again = try rig.emissions(to: .network).filter { $0.payloadCount > 0 }
      #expect(again.allSatisfy { $0.ecn == 0 })
      if !again.isEmpty { return }
    }
    Issue.record("nothing was sent again")
  }

  @Test("An echo is for our window and not for the guest; CWR goes with the next new data, once")
  func echo() throws {
    let rig = try rig { $0.congestionAlgorithm = .dctcp }
    try talk(rig)
    for place in stride(from: 100, to: 8_100, by: 1000) {
      _ = try rig.guest(at: place, 1000, ack: 100)
      _ = try rig.network(at: 100, ack: place + 1000)
    }
    for place in stride(from: 8_100, to: 12_100, by: 1000) { _ = try rig.guest(at: place, 1000, ack: 100) }
    let before = try #require(rig.view?.transmit.congestionWindow)
    let shown = try rig.network(at: 100, 100, ack: 9_100) { $0.flags |= Self.ece }
    if let shown { #expect(try ecn(shown) == (0, 0)) }
    #expect(try rig.emissions(to: .guest).allSatisfy { !$0.has(Self.ece) })
    #expect(try #require(rig.view?.transmit.congestionWindow) < before)
    var reductions = 0
    for place in stride(from: 12_100, to: 16_100, by: 500) {
      if let passed = try rig.guest(at: place, 500, ack: 200), passed.has(Self.cwr) { reductions += 1 }
      reductions += try rig.emissions(to: .network).count { $0.has(Self.cwr) }
      _ = try rig.network(at: 200, ack: place)
    }
    #expect(reductions == 1)
  }

  @Test("What passes beside our window is not marked, though the echo of what was is ended")
  func notRuled() throws {
    let rig = try rig { $0.leastRoundTrip = .seconds(60) }
    try talk(rig)
    for place in stride(from: 100, to: 20_100, by: 1000) {
      #expect(try ecn(rig.guest(at: place, 1000, ack: 100)) == (0, 0))
      #expect(try ecn(rig.network(at: 100, ack: place + 1000)) == (0, 0))
    }
    #expect(rig.view?.transmit.state == .passThrough)
    #expect(try ecn(rig.network(at: 100, 100, ack: 20_100) { $0.flags |= Self.ece | Self.cwr }) == (0, 0))
    #expect(try ecn(rig.guest(at: 20_100, 1000, ack: 200)) == (Self.cwr, 0))
    #expect(rig.module.passedReduction)
    #expect(try ecn(rig.guest(at: 21_100, 1000, ack: 200)) == (0, 0))
    #expect(!rig.module.passedReduction)
    // Not with what was sent before.
    _ = try rig.network(at: 200, ack: 20_100) { $0.flags |= Self.ece }
    #expect(try ecn(rig.guest(at: 21_100, 1000, ack: 200)) == (0, 0))
  }

  @Test(
    "In mode snoop the guest's data are marked as soon as it is held back by our window, which an echo makes smaller")
  func limited() throws {
    let rig = try rig(.snoop) { $0.initialCongestionWindow = 4 }
    try rig.open {
      $0.window = 4_000
      if $0.has(Self.ack) { $0.flags |= Self.ece }
    }
    _ = try rig.guest(at: 0, 100)
    _ = try rig.network(ack: 100, window: 4_000)
    _ = try rig.network(at: 0, 100, ack: 100, window: 4_000)
    _ = try rig.guest(at: 100, ack: 100)
    rig.tick(1)
    for number in 0..<4 { #expect(try ecn(rig.guest(at: 100 + 1000 * number, 1000, ack: 100)) == (0, 0)) }
    rig.tick(10)
    _ = try rig.network(at: 100, ack: 1100, window: 50_000)
    _ = try rig.network(at: 100, ack: 2100, window: 50_000)
    #expect(flags(rig, .guest).contains(.senderLimited))
    #expect(try ecn(rig.guest(at: 4_100, 1000, ack: 100)) == (0, Self.capable))
    #expect(try ecn(rig.guest(at: 3_100, 1000, ack: 100)) == (0, 0))
    let before = try #require(rig.view?.transmit.congestionWindow)
    let echo = try rig.network(at: 100, ack: 3_100, window: 50_000) { $0.flags |= Self.ece }
    if let echo { #expect(try ecn(echo) == (0, 0)) }
    #expect(try #require(rig.view?.transmit.congestionWindow) < before)
    #expect(try ecn(rig.guest(at: 5_100, 1000, ack: 100)) == (Self.cwr, Self.capable))
    #expect(try ecn(rig.guest(at: 6_100, 1000, ack: 100)) == (0, Self.capable))
  }

  @Test("In mode limit they are from the beginning, and an echo makes the window smaller that the guest is shown")
  func ruled() throws {
    let rig = try rig(.limit) { $0.initialCongestionWindow = 10 }
    try rig.open {
      $0.window = 4_000
      if $0.has(Self.ack) { $0.flags |= Self.ece }
    }
    for number in 0..<4 { #expect(try ecn(rig.guest(at: 1000 * number, 1000)) == (0, Self.capable)) }
    rig.tick(10)
    let first = try #require(try rig.network(ack: 2000, window: 50_000))
    let before = try #require(rig.view?.transmit.congestionWindow)
    #expect(Int(first.window) < 50_000)
    let echo = try #require(try rig.network(ack: 3000, window: 50_000) { $0.flags |= Self.ece })
    #expect(try ecn(echo) == (0, 0))
    #expect(try #require(rig.view?.transmit.congestionWindow) < before)
    #expect(try ecn(rig.guest(at: 4000, 1000)) == (Self.cwr, Self.capable))
    #expect(try ecn(rig.guest(at: 5000, 1000)) == (0, Self.capable))
    #expect(try ecn(rig.guest(at: 4000, 1000)) == (0, 0))
  }

  // MARK: What the guest gets

  @Test(
    "Marks on what the guest gets are echoed until CWR, whoever acknowledges; the guest sees neither",
    arguments: [4, 6],
    [AccelerationMode.off, .limit, .snoop, .early])
  func marks(version: Int, mode: AccelerationMode) throws {
    let rig = try rig(mode == .off ? .early : mode)
    func form(_ segment: inout ModelSegment) { segment.isIPv6 = version == 6 }
    try talk(rig, isIPv6: version == 6)
    if mode == .off { rig.adopt { $0.mode = .off } }
    func arrives(_ place: Int, _ change: (inout ModelSegment) -> Void) throws -> Bool? {
      let passed = try rig.network(at: place, 500, ack: 100) {
        form(&$0); change(&$0)
      }
      if let passed { #expect(try ecn(passed) == (0, 0)) }
      let given = try rig.emissions(to: .guest)
      #expect(given.allSatisfy { $0.ecn == 0 && !$0.has(Self.cwr | Self.ece) })
      let sent = try rig.emissions(to: .network)
      let answer = try rig.guest(at: 100, ack: place + 500, form)
      let echoes = (sent + (answer.map { [$0] } ?? [])).map { $0.has(Self.ece) }
      #expect(Set(echoes).count <= 1)
      return echoes.first
    }
    #expect(try arrives(100) { $0.ecn = Self.capable } == false)
    #expect(try arrives(600) { $0.ecn = Self.marked } == true)
    #expect(try arrives(1100) { $0.ecn = Self.capable } == true)
    #expect(
      try arrives(1600) {
        $0.ecn = Self.capable; $0.flags |= Self.cwr
      } == false)
    #expect(
      try arrives(2100) {
        $0.ecn = Self.marked; $0.flags |= Self.cwr
      } == true)
    // So too if a reader of this process's memory goes on.
    try rig.takeOver()
    #expect(try arrives(2600) { $0.ecn = Self.capable } == true)
    #expect(
      try arrives(3100) {
        $0.ecn = Self.capable; $0.flags |= Self.cwr
      } == false)
    #expect(rig.view?.bridgesECN == true)
  }

  // MARK: What changes under way

  @Test("What was agreed on stays so with another policy; without a window of ours nothing more is marked")
  func policies() throws {
    for ecn in ECNOverride.allCases {
      let rig = try rig { $0.transmitWindow = .receiver }
      try talk(rig)
      _ = try rig.guest(at: 100, 1000, ack: 100)
      _ = try rig.network(at: 100, ack: 1100)
      rig.adopt {
        $0.overrides.ecn = ecn
        $0.transmitWindow = .receiver
      }
      #expect(try self.ecn(rig.guest(at: 1100, 1000, ack: 100)) == (0, Self.capable))
      rig.adopt {
        $0.overrides.ecn = ecn
        $0.mode = .off
      }
      _ = try rig.network(at: 100, ack: 2100)
      #expect(rig.view?.transmit.state == .passThrough)
      #expect(try self.ecn(rig.guest(at: 2100, 1000, ack: 100)) == (0, 0))
      #expect(
        try self.ecn(
          rig.network(at: 100, 100, ack: 2100) {
            $0.flags |= Self.ece; $0.ecn = Self.marked
          }) == (0, 0))
      #expect(try self.ecn(rig.guest(at: 3100, 1000, ack: 200)) == (Self.cwr | Self.ece, 0))
      rig.adopt {
        $0.mode = .early
        $0.congestionAlgorithm = .none
      }
      for place in stride(from: 4100, to: 9100, by: 1000) {
        #expect(try self.ecn(rig.guest(at: place, 1000, ack: 200)).codepoint == 0)
        _ = try rig.network(at: 200, ack: place + 1000)
      }
      #expect(rig.view?.transmit.state == .accelerated)
    }
  }

  @Test("SYNs are those of the first phase")
  func phases() throws {
    let rig = try ModuleRig(
      policy: PhaseTests.life([({ $0.overrides.ecn = .offer }, .established), ({ $0.overrides.ecn = .clear }, nil)]))
    #expect(try rig.guest(Self.syn)?.flags == Self.syn | Self.ece | Self.cwr)
    let other = try ModuleRig(
      policy: PhaseTests.life([({ $0.mode = .off }, .established), ({ $0.overrides.ecn = .offer }, nil)]))
    #expect(try other.guest(Self.syn)?.flags == Self.syn)
  }

  @Test("A connection that passes since its answer is odd is translated all the same")
  func passing() throws {
    let rig = try rig()
    _ = try rig.guest(Self.syn)
    _ = try rig.network(Self.syn | Self.ack) {
      $0.flags |= Self.ece
      $0.extraOptions = [172, 2, 1, 1]
    }
    #expect(rig.view?.passReason == .accurateECN)
    #expect(try ecn(rig.guest(at: 0, 1000)) == (0, 0))
    #expect(try ecn(rig.network(at: 0, 1000, ack: 1000) { $0.ecn = Self.marked }) == (0, 0))
    #expect(try ecn(rig.guest(at: 1000, ack: 1000)) == (Self.ece, 0))
    #expect(
      try ecn(
        rig.network(at: 1000, 1000, ack: 1000) {
          $0.flags |= Self.cwr; $0.ecn = Self.capable
        }) == (0, 0))
    #expect(try ecn(rig.guest(at: 1000, ack: 2000)) == (0, 0))
  }

  @Test("What a guest says of ECN without having agreed to it does not leave, and is not echoed to it")
  func liar() throws {
    let rig = try rig()
    try talk(rig)
    for (number, codepoint) in [1, 2, 3].enumerated() {
      let passed = try rig.guest(Self.ack | Self.ece | Self.cwr, at: 100 + 100 * number, 100, ack: 100) {
        $0.ecn = UInt8(codepoint)
      }
      #expect(try ecn(passed) == (0, Self.capable))
      let answer = try rig.network(at: 100, ack: 200 + 100 * number)
      if let answer { #expect(try ecn(answer) == (0, 0)) }
      #expect(try rig.emissions(to: .guest).allSatisfy { !$0.has(Self.ece) })
    }
    // Sent again, too.
    let passed = try rig.guest(Self.ack | Self.ece | Self.cwr, at: 300, 100, ack: 100) { $0.ecn = Self.marked }
    if let passed { #expect(try ecn(passed) == (0, 0)) }
    #expect(try rig.emissions(to: .guest).allSatisfy { !$0.has(Self.ece) })
    #expect(!flags(rig, .guest).contains(.echoesCongestion))
  }

  @Test("An idle connection gives way after ten minutes, not after one: the network's end is still to hear of marks")
  func idle() throws {
    for (wait, isKept) in [(61, true), (601, false)] as [(Int64, Bool)] {
      let rig = try rig()
      try talk(rig)
      rig.tick(wait * 1000)
      for port in 1...8 {
        rig.guestPort = 40_000 + UInt16(port)
        try rig.open()
      }
      rig.guestPort = 40_000
      #expect(try ecn(rig.network(at: 100, 100, ack: 100) { $0.ecn = Self.marked }) == (0, isKept ? 0 : Self.marked))
    }
  }
}
