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
  // MARK: The window

  @Test("It grows as our window does: in slow start by what is acknowledged, whatever the receiver takes")
  func slowStart() throws {
    let rig = try ModuleRig.limiting()
    #expect(rig.view?.transmit.state == .limiting)
    rig.tick(10)
    var (edge, place) = (0, 10_100)
    for number in 1...10 {
      let shown = try rig.told(100 + 1000 * number)
      #expect(shown.edge >= edge)
      edge = shown.edge
      while place + 1000 <= edge {
        try rig.send(from: place, 1)
        place += 1000
      }
    }
    // Ten segments and ten more.
    #expect(edge == 10_100 + 20_000)
    #expect(try rig.isSilent())
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
      #expect(rig.isSameButWindow)
    }
    // The receive side has no more to do with it.
    #expect(rig.view?.receive.state == .passThrough && rig.view?.transmit.state == .limiting)
    #expect(try rig.isSilent())
  }

  @Test("A short path is no reason to let a guest alone")
  func everywhere() throws {
    let rig = try ModuleRig.limiting { $0.leastRoundTrip = .seconds(1) }
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
    let rig = try ModuleRig.limiting { $0.congestionAlgorithm = .none }
    rig.tick(10)
    #expect(try rig.told(1100).segment.window == ModuleRig.wideWindow && rig.before == rig.after)
    #expect(rig.view?.transmit.state == .limiting && rig.view?.transmit.roundTrip == .milliseconds(10))
  }

  @Test(
    "A window of the receiver's that opens beyond ours stays here: to the guest it would be a duplicate; one that opens ours passes"
  )
  func updates() throws {
    let rig = try ModuleRig.limiting(flight: 4)
    rig.tick(10)
    try rig.told(1100)
    for more in 1...5 as ClosedRange<UInt16> {
      #expect(try rig.network(ack: 1100, window: ModuleRig.wideWindow + more) == nil)
    }
    let small = try rig.told(2100, window: 3_000)
    #expect(small.room == 3_000)
    #expect(try rig.told(2100, window: 5_000).room == 5_000)
    #expect(try rig.told(4100, window: 0).room == 0)
    // Nothing is on its way.
    #expect(try rig.told(4100, window: 6_000).room == 6_000)
    #expect(try rig.isSilent())
  }

  // MARK: Losses

  @Test(
    "The guest hears of a loss in full and repairs it; then it is shown half the window, and never less than before",
    arguments: [false, true])
  func loss(usesSACK: Bool) throws {
    let rig = try ModuleRig.limiting(usesSACK: usesSACK)
    rig.tick(10)
    let before = try rig.told(1100)
    // The second is lost; the eight behind it arrive.
    var field = before.segment.window
    for number in 2..<10 {
      let shown = try rig.told(1100) {
        if usesSACK { $0.blocks = [ModuleRig.block(2100, 100 + 1000 * (number + 1))] }
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
    let after = try rig.told(10_100)
    // Nine segments were on their way when the loss was found.
    #expect(after.room >= 4_000 && after.room <= 5_500, "\(after.room)")
    #expect(rig.view?.transmit.congestionWindow == 4_500)
    #expect(try rig.isSilent())
  }

  @Test("keepFactor of the policy says what remains")
  func keepFactor() throws {
    let rig = try ModuleRig.limiting { $0.keepFactor = 768 }
    rig.tick(10)
    try rig.told(1100)
    for number in 2..<10 { try rig.told(1100) { $0.blocks = [ModuleRig.block(2100, 100 + 1000 * (number + 1))] } }
    _ = try rig.guest(at: 1100, 1000)
    rig.tick(10)
    let after = try rig.told(10_100)
    #expect(after.room >= 6_000 && after.room <= 7_750, "\(after.room)")
  }

  @Test("A timeout leaves one segment, and sends nothing; a guest that goes back to the first is followed")
  func timeout() throws {
    let rig = try ModuleRig.limiting()
    for _ in 0..<100 { rig.tick(10) }
    #expect(rig.view?.transmit.phase == .loss && rig.view?.transmit.congestionWindow == 1_000)
    #expect(rig.view?.networkLeg.timeouts ?? 0 >= 1)
    #expect(try rig.isSilent())
    _ = try #require(try rig.guest(at: 100, 1000))
    #expect(rig.before == rig.after)
    rig.tick(10)
    try rig.told(1100)
    try rig.send(from: 1100, 2)
    rig.tick(10)
    try rig.told(2100)
    rig.tick(10)
    let after = try rig.told(10_100)
    // Slow start from one segment: not the ten of before.
    #expect(after.room <= 6_000, "\(after.room)")
    #expect(try rig.isSilent())
  }

  @Test("No probe is sent for a lost tail, and none is waited for")
  func tail() throws {
    let rig = try ModuleRig.limiting(flight: 3)
    rig.tick(10)
    try rig.told(2100)
    // Two round trips and what a receiver delays; a timeout is due after 200 ms.
    for _ in 0..<15 { rig.tick(10) }
    #expect(try rig.isSilent())
    #expect(rig.view?.transmit.phase == .open)
    for _ in 0..<15 { rig.tick(10) }
    #expect(rig.view?.transmit.phase == .loss)
  }

  @Test("Of a guest that is gone nothing is left: no timer, no record")
  func gone() throws {
    let rig = try ModuleRig.limiting { $0.maximumTimeouts = 5 }
    for _ in 0..<200 { rig.tick(1_000) }
    #expect(rig.view?.transmit.state == .passThrough && rig.view?.hasTimer == false)
    #expect(rig.module.store.sendings.inUse == 0 && rig.module.store.transmissions.inUse == 0)
    #expect(rig.module.limitingCount == 0 && rig.module.weightInUse == 0)
    #expect(try rig.isSilent())
  }

  @Test("Marks alone reduce the window that is shown, though the guest knows no such algorithm; the echo passes")
  func marks() throws {
    func room(isMarked: Bool) throws -> Int {
      let rig = try ModuleRig.limiting(ecn: true) { $0.congestionAlgorithm = .dctcp }
      var (place, acknowledged, room) = (10_100, 100, 0)
      for _ in 0..<6 {
        rig.tick(10)
        // All of a round trip; the guest uses what it is shown, up to twenty segments, and knows nothing of a reduction.
        for end in stride(from: acknowledged + 1000, through: place, by: 1000) {
          let shown = try rig.told(end) { if isMarked { $0.flags |= ModelSegment.ece } }
          #expect(shown.segment.has(ModelSegment.ece) == isMarked)
          acknowledged = end
          room = shown.room
          while place + 1000 <= min(shown.edge, end + 20_000) {
            try rig.send(from: place, 1)
            #expect(rig.before == rig.after)
            place += 1000
          }
        }
      }
      #expect(try rig.isSilent())
      return room
    }
    let (with, without) = (try room(isMarked: true), try room(isMarked: false))
    #expect(with <= 3_000 && without >= 20_000, "\(with), \(without)")
  }

  // MARK: Hostile guests

  @Test("A guest that takes more than it is shown is not policed, and counted")
  func beyond() throws {
    let rig = try ModuleRig.limiting(shown: 20_000)
    rig.tick(10)
    for number in 1...4 { try rig.told(100 + 1000 * number) }
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
    #expect(try rig.told(5_100).edge == shown)
  }

  @Test("An acknowledgment of what was not seen is believed, and the guest still ruled")
  func unseen() throws {
    let rig = try ModuleRig.limiting()
    rig.tick(10)
    #expect(try rig.told(12_100).room <= 21_000)
    #expect(rig.view?.transmit.state == .limiting && rig.view?.transmit.next == rig.view?.transmit.unacknowledged)
  }
}
