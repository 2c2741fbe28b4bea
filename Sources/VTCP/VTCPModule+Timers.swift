// SPDX-License-Identifier: Apache-2.0

import Arena
import CongestionControl
import LossRecovery
import TCPPolicy
public import Timekeeping
import Wire

// When something is due (FIG. 11), and to whom (R42, R43).

extension VTCPModule {
  /// Does what is due at `now`. Bounded: after a long sleep the rest is done by the next calls.
  ///
  /// - Returns: false if there is more to do at once.
  public func timersDue(now: Instant) -> Bool {
    var budget = 256
    if isShaping { wakeShaped(now) }
    while budget > 0 {
      guard let flow = timers.popDue(budget: &budget, now: now) else { return budget > 0 }
      guard store.flows.isInUse(flow) else { continue }
      for sender in [Leg.guest, .network] { timerDue(SideIndex(flow, sender: sender), now) }
      guard store.flows.isInUse(flow) else { continue }
      timePhases(flow, now)
      schedule(flow, now)
    }
    return false
  }

  private func timerDue(_ index: SideIndex, _ now: Instant) {
    let side = store[index]
    guard !side.sending.isNone else { return }
    if let deadline = store.sendings[side.sending].acknowledgmentDeadline, deadline <= now {
      store.sendings[side.sending].acknowledgmentDeadline = nil
      store[index].flags.insert(.acknowledgmentDue)
    }
    if let deadline = store.sendings[side.sending].probeDeadline, deadline <= now { ask(index, now) }
    guard !store[index].sending.isNone, runsTimers(index) else { return }
    let timer = store.sendings[side.sending].recovery.nextDeadline(knobs: knobs(index))
    guard let timer, timer.due <= now else { return }
    let action = store.sendings[side.sending].recovery.timerExpired(
      hasUnsent: hasUnsent(side), in: store.transmissions, knobs: knobs(index), now: now)
    noteLoss(index, now)
    guard timer.kind == .retransmission, action != .nothing else { return }
    count(index.receiver, index.flow) { $0.timeouts &+= 1 }
    noteSilence(index, now)
    // Neither end says anything any more: there is nobody to rule.
    let isOver = store[index].timeouts > policy(index).configuration.maximumTimeouts
    if isOver, store[index].state == .limiting { stopHolding(index) }
  }

  /// Nothing is on its way though there is something to send. If that is the receiver's window, it is asked (RFC 9293 §3.8.6.1),
  /// for as long as it answers; else whatever it was is looked at again.
  private func ask(_ index: SideIndex, _ now: Instant) {
    let side = store[index]
    store.sendings[side.sending].probeDeadline = nil
    guard side.isOurs, side.outstanding == 0, side.backlog > 0 || side.finWaits, side.receiverEdge <= side.next else {
      return
    }
    store[index].flags.insert(.probeDue)
    store.sendings[side.sending].probes = min(store.sendings[side.sending].probes &+ 1, 100)
    noteSilence(index, now)
  }

  /// A timer ran out. The receiver has not answered, unless it is the leg that took nothing, or the rate.
  private func noteSilence(_ index: SideIndex, _ now: Instant) {
    guard !store.isListed(index.flow, in: FlowList(towards: index.receiver)), !awaitsTurn(index) else { return }
    store[index].timeouts = min(store[index].timeouts &+ 1, 250)
    let side = store[index]
    guard side.isOurs, side.owned > 0 || side.backlog > 0 || side.finWaits else { return }
    // It may be gone, or what it says may go another way (danger 33): no more is promised for it.
    if !isHeard(side, now) { drain(index, .silentReceiver) }
    if side.timeouts > policy(index).configuration.maximumTimeouts, now - side.lastHeard.instant > .seconds(100) {
      abandon(index.flow, towards: [.guest, .network])
    }
  }

  /// One end is gone and can't be given what is owed: the others are told, rather than left with a hole (R33).
  func abandon(_ flow: RecordIndex, towards legs: [Leg]) {
    counters.resets &+= 1
    drop(flow)
    for sender in [Leg.guest, .network] { store[SideIndex(flow, sender: sender)].state = .passThrough }
    store.flows[flow].passReason = .policy
    store.flows[flow].resetDue = 0
    for leg in legs {
      store.flows[flow].resetDue |= 1 &<< leg.rawValue
      store.append(flow, to: FlowList(towards: leg))
    }
  }

  /// Puts the flow into the lists of the legs that it has something for, and sets its timer: for what it owes, and for its phases.
  func schedule(_ flow: RecordIndex, _ now: Instant) {
    touch(flow)
    guard store.flows[flow].resetDue == 0 else { return }
    var deadline = phaseDeadline(flow)
    for sender in [Leg.guest, .network] {
      let index = SideIndex(flow, sender: sender)
      if opensWindow(index) { store[index].flags.insert(.acknowledgmentDue) }
      if store[index].flags.contains(.acknowledgmentDue), !store.isListed(flow, in: FlowList(towards: sender)) {
        store.append(flow, to: FlowList(towards: sender))
      }
      guard !store[index].sending.isNone else { continue }
      if isShaped(index.receiver) {
        scheduleShaped(index, now)
      } else if hasSomethingToSend(index), !isPaced(index, now),
        !store.isListed(flow, in: FlowList(towards: index.receiver))
      {
        store.append(flow, to: FlowList(towards: index.receiver))
      }
      keepTimer(index, now)
      if let own = ownDeadline(index, now) { deadline = min(deadline ?? own, own) }
    }
    if let deadline { timers.arm(flow, at: deadline) } else { timers.cancel(flow) }
  }

  /// Probes go at once, data when the rate lets them.
  private func scheduleShaped(_ index: SideIndex, _ now: Instant) {
    let list = FlowList(towards: index.receiver)
    if hasProbe(index), !store.isListed(index.flow, in: list) { store.append(index.flow, to: list) }
    if !awaitsTurn(index), hasData(index), !isPaced(index, now) { awaitTurn(index, now) }
  }

  private func hasProbe(_ index: SideIndex) -> Bool {
    store[index].isOurs && store[index].flags.contains(.probeDue)
  }

  private func hasSomethingToSend(_ index: SideIndex) -> Bool { hasProbe(index) || hasData(index) }

  /// Whether there are data that windows let go.
  func hasData(_ index: SideIndex) -> Bool { rangeToResend(index, 0) != nil || rangeToSend(index, 0) != nil }

  /// The earliest of the side's timers: for acknowledgments, probes, recovery, and the pacer if something waits for it.
  private func ownDeadline(_ index: SideIndex, _ now: Instant) -> Instant? {
    let sending = store[index].sending
    var earliest = store.sendings[sending].acknowledgmentDeadline
    func consider(_ other: Instant?) {
      guard let other else { return }
      earliest = min(earliest ?? other, other)
    }
    consider(store.sendings[sending].probeDeadline)
    if runsTimers(index) { consider(store.sendings[sending].recovery.nextDeadline(knobs: knobs(index))?.due) }
    if isPaced(index, now), hasSomethingToSend(index) {
      consider(store.sendings[sending].recovery.pacer.earliest(now: now))
    }
    return earliest
  }

  /// No octet that we owe is without a timer (I7): if nothing is on its way, it is one that looks why.
  private func keepTimer(_ index: SideIndex, _ now: Instant) {
    let side = store[index]
    guard side.isOurs, side.owned > 0 || side.backlog > 0 || side.finWaits,
      store.sendings[side.sending].recovery.isEmpty
    else {
      store.sendings[side.sending].probeDeadline = nil
      return
    }
    guard store.sendings[side.sending].probeDeadline == nil else { return }
    let timeout = store.sendings[side.sending].recovery.roundTrip.timeout(
      backoff: store.sendings[side.sending].probes, knobs: knobs(index).congestion)
    store.sendings[side.sending].probeDeadline = now + timeout
  }

  /// When `timersDue` is to be called; nil: not before something else happens. It may be early, never late.
  public var nextDeadline: Instant? {
    guard isShaping, let shaped = shapingDeadline else { return timers.nextDeadline }
    return min(shaped, timers.nextDeadline ?? shaped)
  }

  /// Whether there may be a frame for `leg`.
  public func hasFrames(for leg: Leg, now: Instant) -> Bool {
    if !store.first(of: FlowList(towards: leg)).isNone { return true }
    return isShaping && !shaping(leg).first.isNone && shaping(leg).shaper.earliest(now: now) <= now
  }

  func count(_ leg: Leg, _ flow: RecordIndex, _ change: (inout LegCounters) -> Void) {
    if leg == .guest { change(&store.flows[flow].guestCounters) } else { change(&store.flows[flow].networkCounters) }
  }
}
