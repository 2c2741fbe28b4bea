// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
import Testing
import Timekeeping
import Wire

@testable import Simulation
@testable import VTCP

/// Dangers of docs/compliance.md, by number.
@Suite("Dangers, one by one")
struct DangerTests {
  @Test("1, 6: a FIN is not acknowledged before the receiver has acknowledged it; data before it are")
  func fin() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    let passed = try rig.network(ModelSegment.ack | ModelSegment.fin, at: 100, 500, ack: 100)
    #expect(passed?.has(ModelSegment.fin) == true)
    #expect(try rig.emissions(to: .network).map { rig.acknowledged($0, to: .network) } == [600])
    let acknowledged = try rig.guest(at: 100, ack: 601)
    #expect(acknowledged.map { rig.acknowledged($0, to: .network) } == 601)
  }

  @Test("1: with a tail that is held back, an acknowledgment for everything is the receiver's")
  func tail() throws {
    let rig = try ModuleRig { $0.flow.tailSize = 300 }
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    #expect(try rig.emissions(to: .network).map { rig.acknowledged($0, to: .network) } == [300])
    _ = try rig.network(ModelSegment.ack | ModelSegment.psh, at: 600, 200, ack: 100)
    #expect(try rig.emissions(to: .network).map { rig.acknowledged($0, to: .network) } == [500])
    let last = try rig.guest(at: 100, ack: 800)
    #expect(last.map { rig.acknowledged($0, to: .network) } == 800)
    #expect(rig.view?.receive.state == .accelerated)
  }

  @Test("2: a guest that is gone: the network's end is reset at the place that it expects, and all is forgotten")
  func guestGone() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    rig.module.guestGone()
    let resets = try rig.emissions(to: .network)
    #expect(resets.map { $0.has(ModelSegment.rst) } == [true])
    #expect(resets.first.map { rig.place($0, to: .network) } == 100)
    #expect(rig.module.flowCount == 0)
    #expect(rig.module.heldChunks == 0)
    #expect(rig.module.counters.lostOctets == 500)
  }

  @Test("5: a module that is to move takes nothing more, and delivers what it has")
  func quiescing() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    _ = try rig.emissions(to: .network)
    rig.module.setQuiescing(true, now: .init(nanoseconds: rig.now * 1_000_000))
    _ = try rig.network(at: 600, 500, ack: 100)
    #expect(try rig.emissions(to: .network).isEmpty)
    #expect(rig.module.ownedOctets == 500)
    let own = try rig.guest(at: 100, ack: 1100)
    #expect(own.map { rig.acknowledged($0, to: .network) } == 1100)
    #expect(rig.module.ownedOctets == 0)
  }

  @Test("7: a reset of the sender reaches the receiver at the place that it expects, though it has not got everything")
  func resetFromSender() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    // The receiver takes 300 octets more only.
    _ = try rig.guest(at: 100, ack: 100, window: 300)
    _ = try rig.network(at: 100, 300, ack: 100)
    let reset = try rig.network(ModelSegment.rst | ModelSegment.ack, at: 400, ack: 100)
    #expect(reset.map { rig.place($0, to: .guest) } == 400)
    #expect(rig.module.flowCount == 0)
    #expect(rig.module.heldChunks == 0)
  }

  @Test("9: a reset elsewhere in the window passes, and changes nothing")
  func blindReset() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    let reset = try rig.network(ModelSegment.rst, at: 700)
    #expect(reset != nil)
    #expect(rig.view?.receive.owned == 500)
  }

  @Test("12: a connection whose SYN was not seen passes as it is")
  func midStream() throws {
    let rig = try ModuleRig()
    for step in 0..<20 {
      #expect(try rig.network(at: 500 * step, 500) != nil)
      #expect(try rig.guest(ack: 500 * step + 500) != nil)
    }
    #expect(rig.module.flowCount == 0)
    #expect(try rig.emissions(to: .network).isEmpty)
  }

  @Test("13: what is owed to a receiver with a closed window is asked for, however long, and delivered when it opens")
  func closedWindow() throws {
    let rig = try ModuleRig { $0.flow.receiveWindow = .buffer }
    try rig.openAndTalk()
    _ = try rig.guest(at: 100, ack: 100, window: 500)
    _ = try rig.network(at: 100, 500, ack: 100)
    _ = try rig.network(at: 600, 500, ack: 100)
    _ = try rig.emissions(to: .network)
    _ = try rig.guest(at: 100, ack: 600, window: 0)
    #expect(rig.view?.receive.owned == 500)
    for _ in 0..<12 {
      #expect(try rig.passTime())
      let probe = try rig.emissions(to: .guest)
      #expect(probe.map(\.payloadCount) == [0])
      #expect(probe.map { rig.place($0, to: .guest) } == [599])
      _ = try rig.guest(at: 100, ack: 600, window: 0)
    }
    _ = try rig.guest(at: 100, ack: 600, window: 2000)
    var got = try rig.emissions(to: .guest).map(\.payloadCount).reduce(0, +)
    while got < 500, try rig.passTime() { got += try rig.emissions(to: .guest).map(\.payloadCount).reduce(0, +) }
    #expect(got >= 500)
  }

  @Test("17: SACK blocks of what is owned are not passed on")
  func selectiveAcknowledgment() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    for packet in 0..<3 { _ = try rig.network(at: 100 + 500 * packet, 500, ack: 100) }
    _ = try rig.emissions(to: .network)
    let passed = try rig.guest(at: 100, 50, ack: 100) {
      $0.blocks = [(ModuleRig.networkStart &+ 1 &+ 600, ModuleRig.networkStart &+ 1 &+ 1600)]
    }
    #expect(passed?.payloadCount == 50)
    #expect(passed?.blocks.isEmpty == true)
    #expect(passed.map { rig.acknowledged($0, to: .network) } == 1600)
  }

  @Test("19: an early acknowledgment says no time that the receiver has not said itself, and echoes the sender's")
  func timestamps() throws {
    let rig = try ModuleRig()
    rig.hasTimestamps = true
    try rig.openAndTalk()
    rig.clock.network = 9_500
    rig.now += 700
    _ = try rig.network(at: 100, 500, ack: 100)
    let early = try rig.emissions(to: .network)
    #expect(early.first?.timestamp?.value == 100)
    #expect(early.first?.timestamp?.echo == 9_500)
  }

  @Test("22: a mark on data that we acknowledge is echoed until the sender says that it has reduced its window")
  func congestionMarks() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    _ = try rig.emissions(to: .network)
    _ = try rig.network(at: 600, 500, ack: 100) { $0.ecn = 3 }
    #expect(try rig.emissions(to: .network).map { $0.has(ModelSegment.ece) } == [true])
    _ = try rig.network(at: 1100, 500, ack: 100)
    #expect(try rig.emissions(to: .network).map { $0.has(ModelSegment.ece) } == [true])
    _ = try rig.network(ModelSegment.ack | ModelSegment.cwr, at: 1600, 500, ack: 100)
    #expect(try rig.emissions(to: .network).map { $0.has(ModelSegment.ece) } == [false])
  }

  @Test(
    "23, 28, 29: connections with Accurate ECN, Multipath TCP or signatures pass as they are",
    arguments: [[30, 4, 0, 1], [19, 18] + [UInt8](repeating: 7, count: 16), [29, 4, 1, 2], [172, 2, 1, 1]])
  func untouchable(option: [UInt8]) throws {
    let rig = try ModuleRig()
    try rig.open { $0.extraOptions = option }
    for step in 0..<5 {
      #expect(try rig.network(at: 500 * step, 500) != nil)
      let own = try rig.guest(ack: 500 * step + 500)
      #expect(own.map { rig.acknowledged($0, to: .network) } == 500 * step + 500)
    }
    #expect(rig.view?.passReason != PassReason.none)
    #expect(try rig.emissions(to: .network).isEmpty)
  }

  @Test("25: a keepalive is answered while the receiver is heard, and never passes while something is owed to it")
  func keepalive() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    _ = try rig.emissions(to: .network)
    for octets in [0, 1] {
      // An octet that the sender takes for acknowledged: what it puts there may be anything.
      let passed = try rig.network(at: 599, octets, ack: 100)
      #expect(passed?.payloadCount ?? 0 == 0)
      #expect(try rig.emissions(to: .network).map { rig.acknowledged($0, to: .network) } == [600])
    }
    rig.now += 11_000
    for octets in [0, 1] {
      let passed = try rig.network(at: 599, octets, ack: 100)
      #expect(passed?.payloadCount ?? 0 == 0)
      #expect(try rig.emissions(to: .network).isEmpty)
    }
    // With nothing owed the receiver answers itself.
    _ = try rig.guest(at: 100, ack: 600)
    #expect(try rig.network(at: 599, 1, ack: 100)?.payloadCount == 1)
  }

  @Test("What a segment acknowledges is told though its data wait")
  func acknowledgmentOfWaitingData() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    _ = try rig.network(at: 100, ack: 100, window: 200)
    _ = try rig.guest(at: 100, 500, ack: 100)
    rig.module.setQuiescing(true, now: .init(nanoseconds: rig.now * 1_000_000))
    _ = try rig.network(at: 100, 100, ack: 100, window: 200)
    _ = try rig.emissions(to: .network)
    #expect(try rig.guest(at: 600, 50, ack: 200) == nil)
    let told = try rig.emissions(to: .network)
    #expect(told.map { rig.acknowledged($0, to: .network) } == [200])
  }

  @Test("31: behind a gap, in a window smaller than the sender was shown, delivery goes on as the window opens")
  func gapInASmallWindow() throws {
    let rig = try ModuleRig { $0.flow.receiveWindow = .buffer }
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    _ = try rig.emissions(to: .network)
    // The next 500 are lost; then the receiver's window is all but closed.
    #expect(try rig.network(at: 1100, 500, ack: 100)?.payloadCount == 500)
    _ = try rig.guest(at: 100, ack: 600, window: 1)
    #expect(rig.view?.receive.reason == .outOfOrder)
    // Sent again, as wide as the sender was shown: it waits here, and goes as the receiver takes it.
    #expect(try rig.network(at: 600, 500, ack: 100) == nil)
    for place in 600..<605 {
      let next = try rig.emissions(to: .guest)
      #expect(next.map { rig.place($0, to: .guest) } == [place])
      #expect(next.map(\.payloadCount) == [1])
      _ = try rig.guest(at: 100, ack: place + 1, window: 1)
    }
    // It had kept what lay behind the gap.
    _ = try rig.guest(at: 100, ack: 605, window: 5000)
    _ = try rig.emissions(to: .guest)
    let all = try rig.guest(at: 100, ack: 1600, window: 5000)
    #expect(all.map { rig.acknowledged($0, to: .network) } == 1600)
  }

  @Test("26, 30: urgent data, and options that nobody knows, are never acknowledged for the receiver")
  func notOrdinary() throws {
    for change: (inout ModelSegment) -> Void in [
      {
        $0.flags |= 32; $0.urgent = 5
      }, { $0.extraOptions = [253, 4, 1, 2] },
    ] {
      let rig = try ModuleRig()
      try rig.openAndTalk()
      _ = try rig.network(at: 100, 500, ack: 100)
      _ = try rig.emissions(to: .network)
      let passed = try rig.network(at: 600, 500, ack: 100, change)
      #expect(passed?.payloadCount == 500)
      #expect(try rig.emissions(to: .network).isEmpty)
      #expect(rig.view?.receive.state == .draining)
    }
  }

  @Test(
    "26: behind urgent data that passed all passes, a FIN as well, whatever congestion control says, and what is acknowledged then counts",
    arguments: [false, true])
  func behindUrgentData(isRepeated: Bool) throws {
    let rig = try ModuleRig { $0.flow.initialCongestionWindow = 1 }
    try rig.openAndTalk()
    _ = try rig.guest(at: 100, 1000, ack: 100)
    _ = try rig.emissions(to: .guest)
    _ = try rig.emissions(to: .network)
    #expect(try rig.guest(ModelSegment.ack | ModelSegment.urg, at: 1100, 1, ack: 100) != nil)
    #expect(try rig.guest(at: 1101, 500, ack: 100) != nil)
    let fin = ModelSegment.ack | ModelSegment.fin
    #expect(try rig.guest(fin, at: 1601, ack: 100) != nil)
    if isRepeated { #expect(try rig.guest(fin, at: 1601, ack: 100) != nil) }
    #expect(rig.view?.transmit.owned == 1000)
    let told = try rig.network(at: 100, ack: 1602)
    #expect(told.map { rig.acknowledged($0, to: .guest) } == 1602)
    #expect(rig.module.counters.implausible == 0 && rig.module.ownedOctets == 0)
  }

  @Test("I6: what a sender repeats of what passed does not pass beyond the receiver's window")
  func repeatedBeyondWindow() throws {
    let rig = try ModuleRig { $0.flow.receiveWindow = .buffer }
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    _ = try rig.emissions(to: .network)
    _ = try rig.guest(at: 100, ack: 600, window: 1000)
    #expect(try rig.network(ModelSegment.ack | ModelSegment.urg, at: 600, 400, ack: 100) != nil)
    #expect(rig.view?.receive.state == .draining)
    _ = try rig.guest(at: 100, ack: 600, window: 100)
    _ = try rig.emissions(to: .network)
    #expect(try rig.network(at: 800, 200, ack: 100) == nil)
    #expect(try rig.emissions(to: .network).map { rig.acknowledged($0, to: .network) } == [600])
    // Where the receiver waits the side begins anew (`beginAnew`), and sends what fits.
    _ = try rig.network(at: 600, 200, ack: 100)
    let sent = try rig.emissions(to: .guest)
    #expect(sent.map { rig.place($0, to: .guest) } == [600] && sent.map(\.payloadCount) == [100])
  }

  @Test("32: after a fragment nothing more is acknowledged early, and the receiver's word counts")
  func fragments() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    _ = try rig.emissions(to: .network)
    #expect(try rig.passesFragment(fromGuest: false, at: 600, 800))
    _ = try rig.network(at: 1400, 500, ack: 100)
    #expect(try rig.emissions(to: .network).isEmpty)
    let own = try rig.guest(at: 100, ack: 1900)
    #expect(own.map { rig.acknowledged($0, to: .network) } == 1900)
    #expect(rig.module.ownedOctets == 0)
    _ = try rig.network(at: 1900, 500, ack: 100)
    #expect(try rig.emissions(to: .network).isEmpty)
    #expect(rig.module.heldChunks == 0)
  }

  @Test("36: data with a wrong checksum are not acknowledged")
  func wrongChecksum() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    let held = rig.view?.receive.heldEnd
    #expect(throws: Broken.self) { try rig.damaged(at: 100, 500, ack: 100) }
    #expect(rig.view?.receive.heldEnd == held)
    #expect(rig.module.counters.badChecksums == 1)
    #expect(try rig.emissions(to: .network).isEmpty)
  }

  @Test("46: an acknowledgment of what was never sent frees nothing")
  func optimistic() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 500, ack: 100)
    _ = try rig.emissions(to: .network)
    let passed = try rig.guest(at: 100, ack: 5000)
    #expect(passed == nil)
    #expect(rig.view?.receive.owned == 500)
  }

  @Test("50: an acknowledgment that passes data which wait has the number of what was sent, which the receiver takes")
  func overtakingAcknowledgment() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    // The guest takes 300 octets more only.
    _ = try rig.guest(at: 100, ack: 100, window: 300)
    _ = try rig.network(at: 100, 300, ack: 100)
    #expect(try rig.network(at: 400, 500, ack: 100) == nil)
    let acknowledgment = try rig.network(at: 900, ack: 100, window: 60_000)
    #expect(acknowledgment.map { rig.place($0, to: .guest) } == 400)
  }

  @Test(
    "50: who has shut its window and thrown away what was on its way takes nothing beyond it, not even an acknowledgment or a reset",
    arguments: [Leg.network, .guest])
  func beyondAShutWindow(leg: Leg) throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    func send(_ flags: UInt8, _ place: Int, _ count: Int = 0, ack: Int) throws -> ModelSegment? {
      leg == .network
        ? try rig.guest(flags, at: place, count, ack: ack) : try rig.network(flags, at: place, count, ack: ack)
    }
    func answer(_ place: Int, _ count: Int = 0, window: UInt16) throws {
      _ =
        leg == .network
        ? try rig.network(at: place, count, ack: 100, window: window)
        : try rig.guest(at: place, count, ack: 100, window: window)
    }
    for packet in 0..<3 { _ = try send(ModelSegment.ack, 100 + 500 * packet, 500, ack: 100) }
    _ = try rig.emissions(to: leg.opposite)
    try answer(100, window: 0)
    // The sender's own, or ours.
    for end in [600, 1100] {
      try answer(end - 500, 500, window: 0)
      let passed = try send(ModelSegment.ack, 1600, ack: end)
      let told = try [passed].compactMap { $0 } + rig.emissions(to: leg)
      #expect(!told.isEmpty && told.allSatisfy { rig.place($0, to: leg) == 100 })
      #expect(told.last.map { rig.acknowledged($0, to: leg) } == end)
    }
    let reset = try send(ModelSegment.rst | ModelSegment.ack, 1600, ack: 1100)
    #expect(reset.map { rig.place($0, to: leg) } == 100)
  }

  @Test("14: what lies beyond the receiver's window does not pass, whatever the sender was shown, but as a question")
  func beyondTheWindow() throws {
    let rig = try ModuleRig()
    try rig.openAndTalk()
    // The guest takes 600 octets more only; the network's end was shown 20000.
    _ = try rig.guest(at: 100, ack: 100, window: 600)
    #expect(try rig.network(at: 100, 300, ack: 100) != nil)
    #expect(try rig.network(at: 500, 300, ack: 100) == nil)
    let urgent = ModelSegment.ack | 32
    #expect(try rig.network(urgent, at: 400, 500, ack: 100) == nil)
    _ = try rig.guest(at: 100, ack: 400, window: 0)
    #expect(try rig.network(urgent, at: 400, 500, ack: 100) != nil)
  }
}
