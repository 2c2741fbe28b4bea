// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import Memory
import Monitoring
import Timekeeping
import VTCP
import Wire

/// Counts from outside, by the frames, what the module says of itself in its statistics; and reads those as another process would.
final class MonitorWatch {
  let region: MonitorRegion
  private let memory: ByteRegion
  /// The end of the data that went to each leg so far, in the sender's stream.
  private var highest = [0, 0]
  private var resent: [UInt64] = [0, 0]
  private var acknowledgments: [UInt64] = [0, 0]
  private var swallowed: [UInt64] = [0, 0]
  private var checks = 0

  init(flowLimit: Int) {
    memory = ByteRegion.allocate(count: MonitorRegion.byteCount(flowLimit: flowLimit), alignment: 4096)
    let identity = MonitorIdentity(
      process: 1, started: Instant(nanoseconds: 0), mode: 2, uplink: "simulated", socket: "simulated")
    region = MonitorRegion(creatingIn: memory, identity: identity, flowLimit: flowLimit)
  }

  deinit { memory.deallocate() }

  /// A whole frame of an end passed the module on its way to `leg`.
  func passed(_ frame: ByteRegion, to leg: Leg, _ simulation: Simulation) {
    guard let range = range(frame, to: leg, simulation), let view = simulation.view else { return }
    // What nobody expected and passed, beyond all windows, the module does not know of.
    let next = leg == .guest ? view.receive.next : view.transmit.next
    let sender = leg == .guest ? simulation.network : simulation.guest
    guard Int32(bitPattern: next.rawValue &- sender.wire(range.upperBound)) >= 0 else { return }
    highest[Int(leg.rawValue)] = max(highest[Int(leg.rawValue)], range.upperBound)
  }

  /// The module kept a frame that came from `leg`.
  func consumed(_ frame: ByteRegion, from leg: Leg) {
    guard let segment = try? ModelSegment(reading: frame, checkingSum: false), segment.length == 0 else { return }
    swallowed[Int(leg.rawValue)] += 1
  }

  /// The module sent a frame of its own.
  func emitted(_ frame: ByteRegion, to leg: Leg, _ simulation: Simulation) {
    guard let segment = try? ModelSegment(reading: frame, checkingSum: false), !segment.has(ModelSegment.rst) else {
      return
    }
    let place = Int(leg.rawValue)
    guard let range = range(frame, to: leg, simulation) else { return acknowledgments[place] += 1 }
    if range.lowerBound < highest[place] { resent[place] += 1 }
    highest[place] = max(highest[place], range.upperBound)
  }

  private func range(_ frame: ByteRegion, to leg: Leg, _ simulation: Simulation) -> Range<Int>? {
    guard let segment = try? ModelSegment(reading: frame, checkingSum: false), segment.length > 0 else { return nil }
    let sender = leg == .guest ? simulation.network : simulation.guest
    let start = sender.highest + Int(Int32(bitPattern: segment.sequence &- sender.wire(sender.highest)))
    return start..<start + Int(segment.length)
  }

  /// What is read now is what the module's own view and our counts say.
  func check(_ simulation: Simulation) throws(Broken) {
    let snapshot: MonitorSnapshot
    do throws(MonitorError) { snapshot = try MonitorReader(over: memory).snapshot() } catch {
      throw Broken("statistics: \(error)")
    }
    guard snapshot.unreadable == 0, snapshot.flows.count == simulation.module.flowCount,
      Int(snapshot.flowCount) == simulation.module.flowCount
    else { throw Broken("statistics: \(snapshot.flows.count) connections of \(simulation.module.flowCount)") }
    for leg in [Leg.guest, .network] {
      let place = Int(leg.rawValue)
      let expected: [(LegCounter, UInt64)] = [
        (.retransmissions, resent[place]), (.earlyAcknowledgments, acknowledgments[place]),
        (.swallowedAcknowledgments, swallowed[place]),
      ]
      for (counter, count) in expected {
        let said = snapshot.total(counter, isNetwork: leg == .network)
        if said != count { throw Broken("statistics: \(leg) \(counter) \(said), not \(count): \(simulation.report)") }
      }
    }
    guard let view = simulation.view, let flow = snapshot.flows.first else { return }
    try compare(flow.network, view.transmit, view.networkLeg)
    try compare(flow.guest, view.receive, view.guestLeg)
  }

  private func compare(_ leg: LegReport, _ side: SideView, _ counters: LegCounters) throws(Broken) {
    let isRight =
      leg.state == side.state.rawValue && leg.reason == side.reason.rawValue && Int(leg.owned) == side.owned
      && Int(leg.held) == side.heldEnd - side.heldStart && Int(leg.inFlight) == side.inFlight
      && leg.congestionPhase == side.phase.rawValue && leg[.duplicates] == counters.duplicates
      && leg[.duplicateAcknowledgments] == counters.duplicateAcknowledgments
      && leg[.zeroWindows] == UInt32(counters.zeroWindows) && leg[.timeouts] == UInt32(counters.timeouts)
      && (leg.smoothedRoundTrip > 0 || side.roundTrip.nanoseconds < 1000)
    if !isRight { throw Broken("statistics: \(leg) of \(side), \(counters)") }
  }
}
