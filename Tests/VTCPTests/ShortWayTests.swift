// SPDX-License-Identifier: Apache-2.0

import Arena
import TCPPolicy
import Testing
import Timekeeping

@testable import Simulation
@testable import VTCP

@Suite("The short way of packets that are only watched leaves what the long one does")
struct ShortWayTests {
  /// Two runs of one schedule, step by step, of which one knows the long way only.
  ///
  /// - Returns: how many steps found a connection of which nothing was held.
  private func compare(_ schedule: Schedule) throws -> Int {
    let (short, long) = (try Simulation(schedule), try Simulation(schedule))
    var watched = 0
    long.module.usesShortWay = false
    try short.pump()
    try long.pump()
    var steps = 0
    while !(short.guest.isDone && short.network.isDone), steps < 2_000 {
      try short.step()
      try long.step()
      // Another process may have taken over.
      long.module.usesShortWay = false
      if let view = short.view, view.phase == .established, view.passReason == .none,
        view.transmit.state == .passThrough, view.receive.state == .passThrough
      {
        watched += 1
      }
      steps += 1
      let (one, other) = (state(short), state(long))
      guard one == other else {
        throw Broken("seed \(schedule.seed), step \(steps): by the short way\n\(one)\nby the long one\n\(other)")
      }
      if short.guest.state == .reset || short.network.state == .reset { break }
    }
    return watched
  }

  /// All that the module knows of the connection, and what it has counted.
  private func state(_ simulation: Simulation) -> String {
    let module = simulation.module
    var text = "\(simulation.now) \(module.counters)"
    module.forEachFlow { flow in
      text += "\n\(module.store.flows[flow]) \(String(describing: module.timers.deadline(of: flow)))"
      for sender in [Leg.guest, .network] { text += "\n\(module.store[SideIndex(flow, sender: sender)])" }
    }
    return text
  }

  @Test("In random schedules, where acceleration seldom pays", arguments: 0..<8)
  func random(block: Int) throws {
    var watched = 0
    for seed in UInt64(block) * 4..<UInt64(block) * 4 + 4 {
      var schedule = Schedule.random(seed: seed)
      schedule.module.flow.leastRoundTrip = seed & 1 == 0 ? .seconds(60) : .milliseconds(20)
      watched += try compare(schedule)
    }
    #expect(watched > 20, "hardly anything took the short way")
  }
}
