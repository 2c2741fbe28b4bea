// SPDX-License-Identifier: Apache-2.0

import Arena
import CongestionControl
import LossRecovery
import TCPPolicy
import Testing
import Timekeeping
import Wire

@testable import Simulation
@testable import VTCP

@Suite("Mode limit: the guest is ruled by the window that it is shown, and by nothing else (AC/DC)")
struct LimitModeTests {
  private static let window: UInt16 = 50_000

  /// Ten segments of 1000 octets are on their way, the receiver has the 100 octets before them, and takes little at first.
  private func begin(
    flight count: Int = 10, usesSACK: Bool = true, ecn: Bool = false, shown: UInt16 = 10_000,
    _ change: (inout FlowConfiguration) -> Void = { _ in }
  ) throws -> ModuleRig {
    let rig = try ModuleRig {
      $0.flow.mode = .limit
      $0.flow.initialCongestionWindow = 10
      $0.flow.congestionAlgorithm = .newReno
      $0.flow.usesHyStart = false
      change(&$0.flow)
    }
    try rig.open(answeredAfter: 10) {
      $0.window = shown
      $0.permitsSACK = usesSACK
      if ecn { $0.flags |= $0.sourceIsGuest ? ModelSegment.ece | ModelSegment.cwr : ModelSegment.ece }
    }
    _ = try rig.guest(at: 0, 100)
    rig.tick(10)
    _ = try rig.network(ack: 100, window: shown)
    try send(rig, from: 100, count)
    return rig
  }

  private func send(_ rig: ModuleRig, from place: Int, _ count: Int) throws {
    for number in 0..<count { try #require(rig.guest(at: place + 1000 * number, 1000) != nil) }
  }

  /// An acknowledgment of the network, which passes with nothing changed but the window: the places it shows.
  @discardableResult
  private func told(
    _ rig: ModuleRig, _ ack: Int, window: UInt16 = Self.window, _ change: (inout ModelSegment) -> Void = { _ in }
  ) throws -> (segment: ModelSegment, edge: Int, room: Int) {
    let segment = try #require(try rig.network(ack: ack, window: window, change))
    #expect(Self.isSameButWindow(rig) && rig.acknowledged(segment, to: .guest) == ack)
    return (segment, ack + Int(segment.window), Int(segment.window))
  }

  /// The window and the checksum of a TCP header without VLAN over IPv4 aside.
  private static func isSameButWindow(_ rig: ModuleRig) -> Bool {
    let window = 48..<52
    return rig.before.count == rig.after.count
      && rig.before.indices.allSatisfy { window.contains($0) || rig.before[$0] == rig.after[$0] }
  }

  private func isSilent(_ rig: ModuleRig) throws -> Bool {
    try rig.emissions(to: .network).isEmpty && rig.emissions(to: .guest).isEmpty && rig.module.heldChunks == 0
      && rig.view?.networkLeg.retransmissions == 0 && rig.view?.guestLeg.earlyAcknowledgments == 0
  }

  private static func block(_ start: Int, _ end: Int) -> (start: UInt32, end: UInt32) {
    let first = ModuleRig.guestStart &+ 1
    return (first &+ UInt32(start), first &+ UInt32(end))
  }

  // MARK: The window

  @Test("It grows as our window does: in slow start by what is acknowledged, whatever the receiver takes")
  func slowStart() throws {
    let rig = try begin()
    #expect(rig.view?.transmit.state == .limiting)
    rig.tick(10)
    var (edge, place) = (0, 10_100)
    for number in 1...10 {
      let shown = try told(rig, 100 + 1000 * number)
      #expect(shown.edge >= edge)
      edge = shown.edge
      while place + 1000 <= edge {
        try send(rig, from: place, 1)
        place += 1000
      }
    }
    // Ten segments and ten more.
    #expect(edge == 10_100 + 20_000)
    #expect(try isSilent(rig))
  }

  @Test("Data pass as they are, both ways, and nothing of them is kept", arguments: [false, true])
  func data(timestamps: Bool) throws {
    let rig = try ModuleRig { $0.flow.mode = .limit }
    rig.hasTimestamps = timestamps
    try rig.openAndTalk { $0.permitsSACK = true }
    for number in 0..<5 {
      _ = try #require(try rig.guest(at: 100 + 1000 * number, 1000, ack: 100))
      #expect(rig.before == rig.after)
      _ = try #require(try rig.network(at: 100 + 1000 * number, 1000, ack: 100 + 1000 * number))
      #expect(Self.isSameButWindow(rig))
    }
    // The receive side has no more to do with it.
    #expect(rig.view?.receive.state == .passThrough && rig.view?.transmit.state == .limiting)
    #expect(try isSilent(rig))
  }

  @Test("A short path is no reason to let a guest alone")
  func everywhere() throws {
    let rig = try begin { $0.leastRoundTrip = .seconds(1) }
    #expect(rig.view?.transmit.state == .limiting && rig.view?.transmit.reason == DrainReason.none)
  }

  @Test("With full recovery towards the guest the network's end is ruled as well")
  func receive() throws {
    let rig = try ModuleRig {
      $0.flow.mode = .limit
      $0.flow.receiveRecovery = .full
      $0.flow.initialCongestionWindow = 2
    }
    try rig.open { $0.window = 2_000 }
    _ = try rig.network(at: 0, 1000)
    let told = try #require(try rig.guest(ack: 1000, window: 50_000))
    // It was shown 20,000 octets before.
    #expect(rig.view?.receive.state == .limiting && told.window == 19_000)
  }

  @Test("With the algorithm none nothing is changed, and all is followed all the same")
  func unlimited() throws {
    let rig = try begin { $0.congestionAlgorithm = .none }
    rig.tick(10)
    #expect(try told(rig, 1100).segment.window == Self.window && rig.before == rig.after)
    #expect(rig.view?.transmit.state == .limiting && rig.view?.transmit.roundTrip == .milliseconds(10))
  }

  @Test(
    "A window of the receiver's that opens beyond ours stays here: to the guest it would be a duplicate; one that opens ours passes"
  )
  func updates() throws {
    let rig = try begin(flight: 4)
    rig.tick(10)
    try told(rig, 1100)
    for more in 1...5 as ClosedRange<UInt16> { #expect(try rig.network(ack: 1100, window: Self.window + more) == nil) }
    let small = try told(rig, 2100, window: 3_000)
    #expect(small.room == 3_000)
    #expect(try told(rig, 2100, window: 5_000).room == 5_000)
    #expect(try told(rig, 4100, window: 0).room == 0)
    // Nothing is on its way.
    #expect(try told(rig, 4100, window: 6_000).room == 6_000)
    #expect(try isSilent(rig))
  }

  // MARK: Losses

  @Test(
    "The guest hears of a loss in full and repairs it; then it is shown half the window, and never less than before",
    arguments: [false, true])
  func loss(usesSACK: Bool) throws {
    let rig = try begin(usesSACK: usesSACK)
    rig.tick(10)
    let before = try told(rig, 1100)
    // The second is lost; the eight behind it arrive.
    var field = before.segment.window
    for number in 2..<10 {
      let shown = try told(rig, 1100) {
        if usesSACK { $0.blocks = [Self.block(2100, 100 + 1000 * (number + 1))] }
      }
      #expect(shown.edge >= before.edge)
      if usesSACK {
        #expect(rig.blocks(shown.segment, to: .guest) == [2100..<100 + 1000 * (number + 1)])
      } else {
        // With another window they would be no duplicates.
        #expect(shown.segment.window == field)
        field = shown.segment.window
      }
      rig.tick(1)
    }
    #expect(rig.view?.transmit.phase == .recovery)
    let inFlight = try #require(rig.view?.transmit.inFlight)
    // The guest's own repair passes, and counts as such: it is on its way once, and nothing of it is new.
    _ = try #require(try rig.guest(at: 1100, 1000))
    #expect(rig.before == rig.after)
    #expect(rig.view?.transmit.inFlight == inFlight + 1000)
    #expect(rig.view?.transmit.next == rig.view?.transmit.expected)
    let sending = rig.module.store[rig.transmitSide].sending
    #expect(rig.module.store.sendings[sending].recovery.firstRetransmissions(in: rig.module.store.transmissions) == 1)
    #expect(rig.view?.guestLeg.duplicates == 1)
    rig.tick(10)
    let after = try told(rig, 10_100)
    // Nine segments were on their way when the loss was found.
    #expect(after.room >= 4_000 && after.room <= 5_500, "\(after.room)")
    #expect(rig.view?.transmit.congestionWindow == 4_500)
    #expect(try isSilent(rig))
  }

  @Test("keepFactor of the policy says what remains")
  func keepFactor() throws {
    let rig = try begin { $0.keepFactor = 768 }
    rig.tick(10)
    try told(rig, 1100)
    for number in 2..<10 { try told(rig, 1100) { $0.blocks = [Self.block(2100, 100 + 1000 * (number + 1))] } }
    _ = try rig.guest(at: 1100, 1000)
    rig.tick(10)
    let after = try told(rig, 10_100)
    #expect(after.room >= 6_000 && after.room <= 7_750, "\(after.room)")
  }

  @Test("A timeout leaves one segment, and sends nothing; a guest that goes back to the first is followed")
  func timeout() throws {
    let rig = try begin()
    for _ in 0..<100 { rig.tick(10) }
    #expect(rig.view?.transmit.phase == .loss && rig.view?.transmit.congestionWindow == 1_000)
    #expect(rig.view?.networkLeg.timeouts ?? 0 >= 1)
    #expect(try isSilent(rig))
    _ = try #require(try rig.guest(at: 100, 1000))
    #expect(rig.before == rig.after)
    rig.tick(10)
    try told(rig, 1100)
    try send(rig, from: 1100, 2)
    rig.tick(10)
    try told(rig, 2100)
    rig.tick(10)
    let after = try told(rig, 10_100)
    // Slow start from one segment: not the ten of before.
    #expect(after.room <= 6_000, "\(after.room)")
    #expect(try isSilent(rig))
  }

  @Test("No probe is sent for a lost tail, and none is waited for")
  func tail() throws {
    let rig = try begin(flight: 3)
    rig.tick(10)
    try told(rig, 2100)
    // Two round trips and what a receiver delays; a timeout is due after 200 ms.
    for _ in 0..<15 { rig.tick(10) }
    #expect(try isSilent(rig))
    #expect(rig.view?.transmit.phase == .open)
    for _ in 0..<15 { rig.tick(10) }
    #expect(rig.view?.transmit.phase == .loss)
  }

  @Test("Of a guest that is gone nothing is left: no timer, no record")
  func gone() throws {
    let rig = try begin { $0.maximumTimeouts = 5 }
    for _ in 0..<200 { rig.tick(1_000) }
    #expect(rig.view?.transmit.state == .passThrough && rig.view?.hasTimer == false)
    #expect(rig.module.store.sendings.inUse == 0 && rig.module.store.transmissions.inUse == 0)
    #expect(rig.module.limitingCount == 0 && rig.module.weightInUse == 0)
    #expect(try isSilent(rig))
  }

  @Test("Marks alone reduce the window that is shown, though the guest knows no such algorithm; the echo passes")
  func marks() throws {
    func room(isMarked: Bool) throws -> Int {
      let rig = try begin(ecn: true) { $0.congestionAlgorithm = .dctcp }
      var (place, acknowledged, room) = (10_100, 100, 0)
      for _ in 0..<6 {
        rig.tick(10)
        // All of a round trip; the guest uses what it is shown, up to twenty segments, and knows nothing of a reduction.
        for end in stride(from: acknowledged + 1000, through: place, by: 1000) {
          let shown = try told(rig, end) { if isMarked { $0.flags |= ModelSegment.ece } }
          #expect(shown.segment.has(ModelSegment.ece) == isMarked)
          acknowledged = end
          room = shown.room
          while place + 1000 <= min(shown.edge, end + 20_000) {
            try send(rig, from: place, 1)
            #expect(rig.before == rig.after)
            place += 1000
          }
        }
      }
      #expect(try isSilent(rig))
      return room
    }
    let (with, without) = (try room(isMarked: true), try room(isMarked: false))
    #expect(with <= 3_000 && without >= 20_000, "\(with), \(without)")
  }

  // MARK: Hostile guests

  @Test("A guest that takes more than it is shown is not policed, and counted")
  func beyond() throws {
    let rig = try begin(shown: 20_000)
    rig.tick(10)
    for number in 1...4 { try told(rig, 100 + 1000 * number) }
    let side = try #require(rig.view?.transmit)
    #expect(rig.module.counters.implausible == 0)
    // All that it was shown, and that much more.
    var place = 10_100
    while place < 60_100 {
      _ = try #require(try rig.guest(at: place, 1000))
      #expect(rig.before == rig.after)
      place += 1000
    }
    #expect(rig.module.counters.implausible > 10)
    #expect(rig.view?.transmit.shownEdge == side.shownEdge)
    // It is on its way all the same, and ours opens no further.
    rig.tick(10)
    let shown = Int(side.shownEdge.rawValue &- ModuleRig.guestStart &- 1)
    #expect(try told(rig, 5_100).edge == shown)
  }

  @Test("An acknowledgment of what was not seen is believed, and the guest still ruled")
  func unseen() throws {
    let rig = try begin()
    rig.tick(10)
    #expect(try told(rig, 12_100).room <= 21_000)
    #expect(rig.view?.transmit.state == .limiting && rig.view?.transmit.next == rig.view?.transmit.unacknowledged)
  }

  // MARK: Another mode

  @Test(
    "It begins where another mode ends: what is owned is delivered first, copies are dropped",
    arguments: [AccelerationMode.early, .snoop, .off])
  func becomes(former: AccelerationMode) throws {
    let rig = try ModuleRig()
    rig.adopt {
      $0.mode = former == .off ? .early : former
      // What was shown beyond the receiver's would have to be used up first.
      $0.transmitWindow = .receiver
    }
    if former == .off {
      rig.adopt {
        $0.mode = .off; $0.overrides.windowClamp = 60_000
      }
    }
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 100, ack: 100)
    for number in 0..<4 { _ = try rig.guest(at: 100 + 1000 * number, 1000, ack: 200) }
    _ = try rig.emissions(to: .guest)
    rig.adopt {
      $0.mode = .limit; $0.initialCongestionWindow = 10
    }
    if former == .early {
      #expect(rig.view?.transmit.state == .draining && rig.view?.transmit.owned ?? 0 > 0)
      _ = try rig.emissions(to: .network)
    } else {
      #expect(rig.view?.transmit.state == .passThrough)
    }
    _ = try rig.network(at: 200, ack: 4100)
    _ = try rig.emissions(to: .guest)
    #expect(rig.module.heldChunks == 0 && rig.view?.transmit.state == .passThrough)
    _ = try #require(try rig.guest(at: 4100, 1000, ack: 200))
    #expect(rig.view?.transmit.state == .limiting)
    let passed = try #require(try rig.network(at: 200, ack: 5100, window: Self.window))
    #expect(passed.window < Self.window)
    #expect(try rig.emissions(to: .guest).isEmpty && rig.emissions(to: .network).isEmpty)
  }

  @Test(
    "It ends where another begins, without a trace; data are held again from what comes next in order",
    arguments: [AccelerationMode.early, .snoop, .off])
  func ends(next: AccelerationMode) throws {
    let rig = try begin()
    rig.tick(10)
    try told(rig, 1100)
    let shown = try #require(rig.view?.transmit.shownEdge)
    rig.adopt { $0.mode = next }
    #expect(rig.view?.transmit.state == .passThrough && rig.module.store.sendings.inUse == 0)
    #expect(rig.module.limitingCount == 0)
    _ = try #require(try rig.guest(at: 10_100, 1000))
    #expect(rig.view?.transmit.state == (next == .off ? .passThrough : .holding))
    _ = try rig.network(ack: 10_100, window: Self.window)
    #expect(rig.view?.transmit.state == (next == .off ? .passThrough : next == .snoop ? .holding : .accelerated))
    #expect(try #require(rig.view?.transmit.shownEdge) >= shown)
  }

  @Test("A sender that is ruled from the middle on keeps what it has on its way, if nothing of it is missing")
  func middle() throws {
    let rig = try begin(flight: 0, shown: 60_000) { $0.congestionAlgorithm = .none }
    rig.adopt {
      $0.mode = .off; $0.overrides.windowClamp = 60_000
    }
    try send(rig, from: 100, 30)
    rig.adopt {
      $0.mode = .limit; $0.congestionAlgorithm = .newReno; $0.initialCongestionWindow = 2
    }
    try send(rig, from: 30_100, 20)
    rig.tick(10)
    // Nothing is known of those before.
    #expect(try told(rig, 20_100).segment.window == Self.window)
    try told(rig, 31_100)
    #expect(try #require(rig.view?.transmit.congestionWindow) >= 19_000)
  }

  @Test("Another process begins with what comes next; nothing was promised")
  func takenOver() throws {
    let rig = try begin()
    rig.tick(10)
    try told(rig, 5_100)
    try rig.takeOver()
    #expect(rig.view?.transmit.state == .passThrough && rig.module.limitingCount == 0)
    try send(rig, from: 10_100, 2)
    #expect(rig.view?.transmit.state == .limiting)
    rig.tick(10)
    try told(rig, 12_100)
    #expect(try isSilent(rig))
  }

  @Test("A phase of a connection's life may be ruled")
  func phase() throws {
    let rig = try ModuleRig(
      policy: PhaseTests.life([
        ({ $0.mode = .limit }, .octets(5_000)), ({ $0.mode = .early }, .octets(20_000)), ({ $0.mode = .limit }, nil),
      ]))
    try rig.open()
    var states: [SideState?] = []
    for place in stride(from: 0, to: 120_000, by: 1000) {
      _ = try rig.guest(at: place, 1000)
      states.append(rig.view?.transmit.state)
      _ = try rig.emissions(to: .network)
      _ = try rig.emissions(to: .guest)
      rig.tick(1)
      _ = try rig.network(ack: place + 1000)
    }
    #expect(states[2] == .limiting && states[10] == .accelerated && states[119] == .limiting)
    #expect(rig.module.heldChunks == 0)
  }

  @Test("It takes no part of the memory that others share, and nothing is read on for it")
  func shares() throws {
    let rig = try begin()
    #expect(rig.module.weightInUse == 0 && rig.module.limitingCount == 1)
    #expect(!rig.module.keepsSomething(Instant(nanoseconds: rig.now * 1_000_000)))
    // A connection without a part of the memory is ruled as well.
    let other = try begin { $0.bufferWeight = 0 }
    #expect(other.view?.transmit.state == .limiting)
  }

  @Test("A fragment ends it: what it carries can't be counted")
  func fragments() throws {
    let rig = try begin()
    #expect(try rig.passesFragment(fromGuest: true, at: 10_100, 1000))
    #expect(rig.view?.transmit.state == .passThrough)
    rig.tick(10)
    #expect(try told(rig, 11_100).segment.window == Self.window)
  }
}

extension ModuleRig {
  /// Of the connection in the first place.
  var transmitSide: SideIndex { SideIndex(RecordIndex(rawValue: 1), sender: .guest) }
}
