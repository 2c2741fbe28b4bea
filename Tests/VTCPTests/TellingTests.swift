// SPDX-License-Identifier: Apache-2.0

import Arena
import TCPPolicy
import Testing
import Timekeeping

@testable import Simulation
@testable import VTCP

@Suite("What becomes of frames, told to who looks on")
struct TellingTests {
  @Test("Who looks on changes nothing, and is told of every octet that is acknowledged early", arguments: 0..<8)
  func watched(block: Int) throws {
    var early = 0
    for seed in UInt64(block) * 6..<UInt64(block) * 6 + 6 {
      var schedule = Schedule.random(seed: seed)
      // Most would be let alone, since they gain nothing by it.
      schedule.module.flow.mode = .early
      schedule.module.flow.leastRoundTrip = .zero
      let (alone, watched) = (try Simulation(schedule), try Simulation(schedule))
      var told = 0
      watched.told = { story in
        told += story.earlyOctets
        #expect(story.events.contains(.acknowledgedEarly) == (story.earlyOctets > 0))
        #expect(story.events.contains(.held) == (story.heldOctets > 0))
        // What goes on is told as it is, what does not has no header to be changed.
        #expect(story.verdict != .consumed || story.events.isDisjoint(with: .rewritten))
      }
      try alone.pump()
      try watched.pump()
      var steps = 0
      while !(alone.guest.isDone && alone.network.isDone), steps < 2_000 {
        try alone.step()
        try watched.step()
        steps += 1
        // To write all of it takes longer than the step, and what has become another stays so for a while.
        let isWritten = steps % 16 == 0 || alone.guest.isDone && alone.network.isDone
        let (one, other) = isWritten ? (state(alone), state(watched)) : (clock(alone), clock(watched))
        guard one == other else {
          throw Broken("seed \(seed), step \(steps): unseen\n\(one)\nlooked at\n\(other)")
        }
        if alone.guest.state == .reset || alone.network.state == .reset { break }
      }
      // What is acknowledged early when a gap is filled or a timer runs out comes with no frame.
      #expect(UInt64(told) <= watched.module.counters.earlyOctets)
      early += told
    }
    #expect(early > 0)
  }

  private func clock(_ simulation: Simulation) -> String {
    "\(simulation.now) \(simulation.module.counters.earlyOctets) \(simulation.guest.received) \(simulation.network.received)"
  }

  private func state(_ simulation: Simulation) -> String {
    var text = "\(simulation.now) \(simulation.module.counters)"
    simulation.module.forEachFlow { flow in
      text += "\n\(simulation.module.store.flows[flow])"
      for sender in [Leg.guest, .network] { text += "\n\(simulation.module.store[SideIndex(flow, sender: sender)])" }
    }
    return text
  }

  @Test("Of a connection's life, in the order in which it happens")
  func life() throws {
    let rig = try ModuleRig()
    rig.tells = true
    _ = try rig.guest(ModelSegment.syn)
    #expect(rig.story.events == .followed && rig.story.verdict == .pass)
    _ = try rig.network(ModelSegment.syn | ModelSegment.ack)
    _ = try rig.guest()
    #expect(rig.story.events.isEmpty)
    _ = try rig.guest(at: 0, 500)
    _ = try rig.network(ack: 500)
    _ = try rig.guest(at: 500, 500)
    #expect(rig.story.events.contains(.held) && rig.story.heldOctets == 500)
    _ = try rig.network(ack: 1000)
    _ = try rig.guest(at: 1000, 700)
    #expect(rig.story.events.contains(.acknowledgedEarly) && rig.story.earlyOctets == 700)
    // The receiver says nothing that the sender has not been told.
    _ = try rig.network(ack: 1700)
    _ = try rig.guest(at: 1000, 700)
    #expect(rig.story.events.contains(.repeated))
    _ = try rig.guest(ModelSegment.rst | ModelSegment.ack, at: 1700)
    #expect(rig.story.events.contains(.forgotten))
    _ = try rig.guest(at: 1700, 10)
    #expect(rig.story.events == .notFollowed)
  }
}
