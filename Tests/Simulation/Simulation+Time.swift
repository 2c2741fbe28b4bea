// SPDX-License-Identifier: Apache-2.0

import Memory
import Timekeeping
import VTCP

// Virtual time: what happens next, and what is looked at when it has.

extension Simulation {
  /// When the next thing happens.
  func nextTime() throws(Broken) -> Int64 {
    var time = queue.first?.time ?? Int64.max
    time = min(time, guestTime(guest.deadline(now)), network.deadline(now))
    // A guest that stands still may have something to say when it runs.
    if legs[0].running(now) > now { time = min(time, legs[0].running(now)) }
    if let deadline = module.nextDeadline { time = min(time, deadline.nanoseconds) }
    if time == Int64.max, guest.state == .reset || network.state == .reset { time = Self.longest }
    guard time != Int64.max else { throw Broken("nothing is left to happen: \(report)") }
    return max(now, time)
  }

  func step() throws(Broken) {
    defer { steps += 1 }
    now = try nextTime()
    if let event = queue.first, event.time <= now {
      _ = queue.removeFirst()
      try arrive(event)
    }
    if module.nextDeadline.map({ $0.nanoseconds <= now }) ?? false {
      isTouched = true
      _ = module.timersDue(now: Instant(nanoseconds: now))
    }
    if legs[0].running(now) == now { guest.pass(now) }
    network.pass(now)
    try pump()
    guard isTouched else { return }
    isTouched = false
    try watch.check(view, self)
    try checkPhase(view)
    if steps % 512 == 0, takeOvers == 0 { try checkStatistics() }
    if schedule.policyOdds > 0, policyChanges < 20, random.next() % schedule.policyOdds == 0 { try changePolicy() }
    // A process needs some time to start, and for all that it does not know yet.
    guard schedule.takeOverOdds > 0, takeOvers < 10, now - tookOver > 5_000_000 else { return }
    if random.next() % schedule.takeOverOdds == 0 { try takeOver() }
  }

  private func changePolicy() throws(Broken) {
    policyChanges += 1
    moduleConfiguration.flow = schedule.policies[Int(random.next() % UInt64(schedule.policies.count))]
    trace?("\(now / 1000) us another policy: \(moduleConfiguration.flow)")
    let policy = try schedule.policy(moduleConfiguration.flow, change: policyChanges)
    module.adopt(policy, flow: moduleConfiguration.flow, now: Instant(nanoseconds: now))
    try watch.check(view, self)
    try checkPhase(view)
    try pump()
  }

  func checkStatistics() throws(Broken) {
    module.publish(now: Instant(nanoseconds: now))
    try monitor.check(self)
  }

  /// The process is killed, with the frames that it had, and another one goes on with its memory.
  private func takeOver() throws(Broken) {
    trace?("\(now / 1000) us another process takes over")
    hadAccelerated = hasAccelerated
    tookOver = now
    takeOvers += 1
    for list in waiting.indices {
      for frame in waiting[list] { slots.free(frame.slot) }
      waiting[list] = []
    }
    let policy = try schedule.policy(moduleConfiguration.flow, change: policyChanges)
    do {
      module = try VTCPModule(
        over: memory, configuration: moduleConfiguration, policy: policy,
        creating: false, now: Instant(nanoseconds: now))
    } catch {
      throw Broken("the memory can't be taken over: \(error)")
    }
    module.linkMTU = schedule.linkMTU
    if module.counters.resets > 0 { throw Broken("what was promised is gone: \(report)") }
    try watch.check(view, self)
    try checkPhase(view)
  }

  /// A guest that does not run does nothing.
  private func guestTime(_ time: Int64) -> Int64 { time == Int64.max ? time : legs[0].running(max(time, now)) }
}
