// SPDX-License-Identifier: Apache-2.0

import Arena
import TCPPolicy
import Testing
import Timekeeping
import Wire

@testable import Simulation
@testable import VTCP

@Suite("Connections are accelerated where it pays (docs/decisions/0016)")
struct WorthTests {
  private func rig(_ mode: AccelerationMode = .early) throws -> ModuleRig {
    try ModuleRig {
      $0.flow.mode = mode
      $0.flow.leastRoundTrip = .milliseconds(2)
      $0.flow.isPaced = false
    }
  }

  /// The guest sends 500 octets more. True if they are acknowledged early.
  private func isAccelerated(_ rig: ModuleRig, at place: Int, ack: Int = 100) throws -> Bool {
    #expect(try rig.guest(at: place, 500, ack: ack) != nil)
    let said = try rig.emissions(to: .guest)
    #expect(said.allSatisfy { rig.acknowledged($0, to: .guest) == place + 500 })
    let isOurs = rig.view?.transmit.state == .accelerated
    #expect(isOurs == !said.isEmpty)
    return isOurs
  }

  @Test(
    "On a short path nothing is held, in either mode, and whoever looks is told why",
    arguments: [.early, .snoop] as [AccelerationMode])
  func shortPath(mode: AccelerationMode) throws {
    let rig = try rig(mode)
    try rig.openAndTalk(answeredAfter: 1)
    for place in [100, 600, 1100] { #expect(try !isAccelerated(rig, at: place)) }
    _ = try rig.network(at: 100, 1000, ack: 1600)
    _ = try rig.guest(at: 1600, ack: 1100)
    let view = try #require(rig.view)
    #expect(view.transmit.state == .passThrough && view.receive.state == .passThrough)
    #expect(view.transmit.reason == .notWorthwhile && view.receive.reason == .notWorthwhile)
    #expect(rig.module.heldChunks == 0 && rig.module.counters.earlyOctets == 0)
  }

  @Test("On a long path all is as if it were so always")
  func longPath() throws {
    let rig = try rig()
    try rig.openAndTalk(answeredAfter: 2)
    #expect(try isAccelerated(rig, at: 100))
    #expect(rig.view?.transmit.reason == DrainReason.none)
  }

  @Test(
    "Data that the guest sends again say that the path loses some; ten seconds without are enough to believe otherwise")
  func loss() throws {
    let rig = try rig()
    try rig.openAndTalk()
    #expect(try !isAccelerated(rig, at: 100))
    _ = try rig.network(at: 100, ack: 600)
    // A question whether the other end lives is no loss (danger 25).
    _ = try rig.guest(at: 599, 1, ack: 100)
    _ = try rig.network(at: 100, ack: 600)
    #expect(try !isAccelerated(rig, at: 600))
    #expect(try rig.guest(at: 600, 500, ack: 100) != nil)
    _ = try rig.network(at: 100, ack: 1100)
    #expect(try isAccelerated(rig, at: 1100))
    _ = try rig.network(at: 100, ack: 1600)
    rig.tick(10_100)
    #expect(try rig.guest(at: 1600, 500, ack: 100) != nil)
    #expect(rig.view?.transmit.state == .draining)
    _ = try rig.network(at: 100, ack: 2100)
    #expect(try !isAccelerated(rig, at: 2100))
    #expect(rig.view?.transmit.reason == .notWorthwhile)
  }

  @Test("A probe for the last segment that crosses its acknowledgment says nothing of the path")
  func crossing() throws {
    let rig = try rig()
    try rig.openAndTalk()
    #expect(try !isAccelerated(rig, at: 100))
    _ = try rig.network(at: 100, ack: 600)
    #expect(try rig.guest(at: 100, 500, ack: 100) != nil)
    #expect(try !isAccelerated(rig, at: 600))
    _ = try rig.network(at: 100, ack: 1100)
    // Part of it was not acknowledged.
    #expect(try rig.guest(at: 600, 501, ack: 100) != nil)
    #expect(try rig.guest(at: 1000, 200, ack: 100) != nil)
    _ = try rig.network(at: 100, ack: 1200)
    #expect(try !isAccelerated(rig, at: 1200))
    #expect(try rig.guest(at: 1500, 200, ack: 100) != nil)
    #expect(try rig.guest(at: 1600, 100, ack: 100) != nil)
    _ = try rig.network(at: 100, ack: 1700)
    #expect(try isAccelerated(rig, at: 1700))
  }

  @Test(
    "Data repeated that had arrived, as the receiver reports, were not lost; the next may be", arguments: [false, true])
  func repeatedInVain(isWithin: Bool) throws {
    let rig = try rig()
    try rig.openAndTalk { $0.permitsSACK = true }
    let first = ModuleRig.guestStart &+ 1
    for place in [100, 600] { #expect(try !isAccelerated(rig, at: place)) }
    #expect(try rig.guest(at: 600, 500, ack: 100) != nil)
    let twice = (start: first &+ 600, end: first &+ 1100)
    _ = try rig.network(at: 100, ack: isWithin ? 100 : 1100) { $0.blocks = isWithin ? [twice, twice] : [twice] }
    #expect(try !isAccelerated(rig, at: 1100))
    #expect(try rig.guest(at: 1100, 500, ack: 100) != nil)
    // A hole is none.
    _ = try rig.network(at: 100, ack: 600) { $0.blocks = [(start: first &+ 1100, end: first &+ 1600)] }
    _ = try rig.network(at: 100, ack: 1600)
    #expect(try isAccelerated(rig, at: 1600))
  }

  /// The network sends two segments from `place` on, which the guest acknowledges after so many times 5 ms.
  private func answerLate(_ rig: ModuleRig, at place: Int, after ticks: Int = 6, isSilent: Bool = true) throws {
    _ = try rig.network(at: place, 1000, ack: 100)
    _ = try rig.network(at: place + 1000, 1000, ack: 100)
    for _ in 0..<ticks {
      rig.tick(5)
      if !isSilent { _ = try rig.guest(at: 100, ack: place) }
    }
    _ = try rig.guest(at: 100, ack: place + 2000)
  }

  @Test(
    "A guest that is silent with two segments to answer waits for its processor; one that says something else is busy",
    arguments: [true, false])
  func stall(isSilent: Bool) throws {
    let rig = try rig()
    try rig.openAndTalk()
    for place in [100, 2100] { try answerLate(rig, at: place, isSilent: isSilent) }
    #expect(rig.module.counters.stalls == (isSilent ? 2 : 0))
    #expect(try isAccelerated(rig, at: 100, ack: 4100) == isSilent)
    // In both directions.
    _ = try rig.network(at: 4100, 1000, ack: 600)
    #expect(rig.view?.receive.state == (isSilent ? .accelerated : .passThrough))
  }

  @Test("Silences more than a second apart do not make a guest that waits for its processor")
  func rareStalls() throws {
    let rig = try rig()
    try rig.openAndTalk()
    for place in [100, 2100, 4100] {
      try answerLate(rig, at: place)
      rig.tick(1_000)
    }
    #expect(rig.module.counters.stalls == 3)
    #expect(try !isAccelerated(rig, at: 100, ack: 6100))
  }

  @Test(
    "It has to wait for 50 ms, and for a third of the time since the first silence",
    arguments: [
      (3, 0, 3, false), (3, 0, 4, true), (6, 130, 8, false), (6, 35, 3, true), (80, 0, 1, false), (80, 0, 2, true),
    ])
  func part(ticks: Int, pause: Int64, times: Int, isWaiting: Bool) throws {
    let rig = try rig()
    try rig.openAndTalk()
    var place = 100
    for _ in 0..<times {
      try answerLate(rig, at: place, after: ticks)
      place += 2000
      for _ in 0..<pause / 5 {
        rig.tick(5)
        _ = try rig.guest(at: 100, ack: place)
      }
    }
    #expect(rig.module.counters.stalls == times)
    #expect(try isAccelerated(rig, at: 100, ack: place) == isWaiting)
  }

  @Test(
    "A guest that nobody waits for is idle: that it is silent then speaks neither for nor against it",
    arguments: [3, 6])
  func idle(ticks: Int) throws {
    let rig = try rig()
    try rig.openAndTalk()
    for place in [100, 2100] {
      rig.tick(700)
      try answerLate(rig, at: place, after: ticks)
    }
    #expect(rig.module.counters.stalls == 2)
    #expect(try isAccelerated(rig, at: 100, ack: 4100) == (ticks == 6))
  }

  @Test("A guest that has one segment may wait for the next one, and no longer than that is an idle one silent")
  func delayedAcknowledgment() throws {
    let rig = try rig()
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 1000, ack: 100)
    rig.tick(40)
    _ = try rig.guest(at: 100, ack: 1100)
    rig.tick(5_000)
    _ = try rig.network(at: 1100, 1000, ack: 100)
    _ = try rig.network(at: 2100, 1000, ack: 100)
    rig.tick(1)
    _ = try rig.guest(at: 100, ack: 3100)
    #expect(rig.module.counters.stalls == 0)
  }

  @Test("A guest that takes long to answer a SYN waits for its processor, too")
  func slowHandshake() throws {
    let rig = try rig()
    _ = try rig.network(ModelSegment.syn) { $0.maximumSegmentSize = 1000 }
    rig.tick(30)
    _ = try rig.guest(ModelSegment.syn | ModelSegment.ack) { $0.maximumSegmentSize = 1000 }
    #expect(rig.module.counters.stalls == 1)
  }

  @Test("A path that turns out to be short is left alone once nothing is owed")
  func shorterPath() throws {
    let rig = try rig()
    try rig.openAndTalk(answeredAfter: 30)
    #expect(try isAccelerated(rig, at: 100))
    rig.tick(1)
    // The round trip was a millisecond. What is on its way yet is owed.
    _ = try rig.guest(at: 600, 500, ack: 100)
    _ = try rig.emissions(to: .guest)
    _ = try rig.network(at: 100, ack: 600)
    #expect(rig.view?.transmit.state == .draining && rig.view?.transmit.owned == 500)
    _ = try rig.network(at: 100, ack: 1100)
    #expect(rig.view?.transmit.owned == 0)
    // The guest was shown a wider window than the receiver's, and may use it.
    var place = 1100
    while rig.view?.transmit.state == .draining, place < 100_000 {
      _ = try rig.guest(at: place, 500, ack: 100)
      place += 500
      #expect(rig.view?.transmit.acknowledged == rig.view?.transmit.unacknowledged)
      _ = try rig.network(at: 100, ack: place)
    }
    #expect(rig.view?.transmit.state == .passThrough && rig.module.heldChunks == 0)
    #expect(try !isAccelerated(rig, at: place))
  }

  @Test("A path that became longer is known for it after ten seconds, by acknowledgments that wait for nothing")
  func longerPath() throws {
    let rig = try rig()
    try rig.openAndTalk()
    var place = 100
    func exchange(_ count: Int, after wait: Int64) throws {
      for _ in 0..<count {
        _ = try rig.guest(at: place, 1000, ack: 100)
        _ = try rig.emissions(to: .guest)
        place += 1000
      }
      rig.tick(wait)
      _ = try rig.network(at: 100, ack: place)
    }
    try exchange(2, after: 20)
    rig.tick(11_000)
    // One segment: the answer may have waited.
    try exchange(1, after: 20)
    #expect(try !isAccelerated(rig, at: place))
    place += 500
    _ = try rig.network(at: 100, ack: place)
    rig.tick(11_000)
    try exchange(2, after: 20)
    #expect(try isAccelerated(rig, at: place))
  }

  @Test("One run of data is timed at a time, none that was sent again, and another side's only after a while")
  func times() {
    let times = PassingTimes()
    defer { times.deallocate() }
    let side = SideIndex(RecordIndex(rawValue: 1), sender: .guest)
    let other = SideIndex(RecordIndex(rawValue: 129), sender: .guest)
    func begin(_ side: SideIndex, _ end: UInt32, _ milliseconds: Int64, isPrompt: Bool = true) {
      let now = Instant(nanoseconds: milliseconds * 1_000_000)
      times.begin(side, to: SequenceNumber(rawValue: end), isPrompt: isPrompt, now)
    }
    func end(_ side: SideIndex, _ number: UInt32, _ milliseconds: Int64) -> PassingTimes.Sample? {
      times.end(
        side, acknowledged: SequenceNumber(rawValue: number), Instant(nanoseconds: milliseconds * 1_000_000))
    }
    begin(side, 10, 0)
    begin(side, 20, 1)
    #expect(end(side, 9, 2) == nil)
    #expect(end(side, 10, 3) == .init(took: .milliseconds(3), isPrompt: true))
    #expect(end(side, 20, 4) == nil)
    begin(side, 30, 5)
    times.cancel(side)
    #expect(end(side, 30, 6) == nil)
    // A segment alone may be waited with; what comes behind it says more.
    begin(side, 32, 7, isPrompt: false)
    begin(side, 34, 8)
    begin(side, 36, 9)
    #expect(end(side, 34, 9) == .init(took: .milliseconds(1), isPrompt: true))
    begin(side, 40, 10)
    begin(other, 5, 11)
    #expect(end(other, 5, 12) == nil)
    begin(other, 6, 1_100)
    #expect(end(side, 40, 1_101) == nil)
    #expect(end(other, 6, 1_102) == .init(took: .milliseconds(2), isPrompt: true))
  }
}
