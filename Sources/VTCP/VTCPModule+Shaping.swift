// SPDX-License-Identifier: Apache-2.0

import Arena
import CongestionControl
import LossRecovery
import Memory
import Monitoring
import Packets
import TCPPolicy
import Timekeeping
import Wire

// The rate of a VM, in each direction (docs/decisions/0021): by pacing what the module sends and by the windows that it shows, not by drops.
//
// Data that are held leave from the buffer only, in turns by weight, when the rate lets them: so the buffer fills, its window shuts, and the
// sender waits. What passes is never held up, and is charged. While nothing is shaped all of it is one look at `isShaping`.

extension VTCPModule {
  /// How long the data may take at the rate that a sender is shown a window for, beside two round trips.
  private static var slack: Interval { .milliseconds(100) }
  /// Of a round trip that is not known.
  private static var assumedRoundTrip: Interval { .milliseconds(100) }
  /// Sides that `emitShaped` gives new credit before it lets the next one go anyhow.
  private static var mostCredits: Int { 64 }

  func shaping(_ leg: Leg) -> LegShaping { leg == .guest ? shapingToGuest : shapingToNetwork }

  func changeShaping(_ leg: Leg, _ change: (inout LegShaping) -> Void) {
    if leg == .guest { change(&shapingToGuest) } else { change(&shapingToNetwork) }
  }

  /// Whether what leaves to the leg does so at a rate.
  @inline(__always)
  func isShaped(_ leg: Leg) -> Bool { isShaping && shaping(leg).shaper.rate > 0 }

  /// The rates of the policy in force apply from now on. Who waited for one that is gone goes on at once.
  func shape(_ now: Instant) {
    let rates = policies.shaping
    for (leg, rate) in [(Leg.network, rates.transmitRate), (.guest, rates.receiveRate)] {
      guard shaping(leg).shaper.rate != Int64(rate) else { continue }
      changeShaping(leg) {
        $0.shaper.set(rate: rate, now: now)
        $0.wake = nil
      }
      noteWake(leg, now)
    }
    isShaping = !rates.isEmpty || !shapingToGuest.first.isNone || !shapingToNetwork.first.isNone
    monitor?.setRates(transmit: rates.transmitRate, receive: rates.receiveRate)
  }

  // MARK: What passes

  /// The frame goes on to the leg as it is.
  @inline(never)
  func charge(_ leg: Leg, _ frame: PassingFrame, _ now: Instant) {
    if shaping(leg).shaper.rate > 0 { charge(leg, Self.wireOctets(frame), now) }
  }

  private func charge(_ leg: Leg, _ octets: Int, _ now: Instant) {
    changeShaping(leg) { $0.shaper.passed(octets: octets, now: now) }
    if leg == .guest {
      counters.receiveCharged &+= UInt64(octets)
    } else {
      counters.transmitCharged &+= UInt64(octets)
    }
  }

  /// A large frame counts as the segments that it is cut into, each with the headers.
  private static func wireOctets(_ frame: PassingFrame) -> Int {
    guard frame.segmentSize > 0, let layout = FrameLayout(parsing: frame.head, frameLength: frame.length) else {
      return frame.length
    }
    let headers = layout.payloadOffset
    return wireOctets(headers: headers, payload: frame.length &- headers, segmentSize: Int(frame.segmentSize))
  }

  static func wireOctets(headers: Int, payload: Int, segmentSize: Int) -> Int {
    guard segmentSize > 0, payload > segmentSize else { return headers &+ payload }
    return (payload &+ segmentSize &- 1) / segmentSize &* headers &+ payload
  }

  /// What the module sends that does not wait: acknowledgments, probes, resets.
  func chargePending(_ now: Instant) {
    if shaping(pending.leg).shaper.rate > 0 { charge(pending.leg, pending.wireOctets, now) }
  }

  // MARK: What waits

  /// Data of the side may go but for the rate: it gets its turn.
  func awaitTurn(_ index: SideIndex, _ now: Instant) {
    let sending = store[index].sending
    guard !sending.isNone, !store.sendings[sending].awaitsTurn else { return }
    store.sendings[sending].awaitsTurn = true
    store.sendings[sending].turnCredit = 0
    link(index)
    refill(index)
    noteWake(index.receiver, now)
  }

  /// It has nothing that may go now.
  func leaveTurns(_ index: SideIndex) {
    let sending = store[index].sending
    guard !sending.isNone, store.sendings[sending].awaitsTurn else { return }
    unlink(index)
    store.sendings[sending].awaitsTurn = false
    guard shaping(index.receiver).first.isNone else { return }
    // Who comes next was not kept waiting.
    changeShaping(index.receiver) {
      $0.wake = nil
      $0.shaper.noteInTime()
    }
  }

  /// Whether the side waits for its turn: it is not its receiver that is silent, nor its sender that has nothing.
  func awaitsTurn(_ index: SideIndex) -> Bool {
    let sending = store[index].sending
    return isShaping && !sending.isNone && store.sendings[sending].awaitsTurn
  }

  /// The next data for `leg` whose turn it is, if the rate lets them go; see `emit`.
  func emitShaped(
    to leg: Leg, _ head: ByteRegion, _ vectors: RecordBuffer<IOVector>, _ first: Int, _ largest: Int, _ now: Instant
  ) -> Emission? {
    guard !shaping(leg).first.isNone, shaping(leg).shaper.earliest(now: now) <= now else {
      noteWake(leg, now)
      return nil
    }
    var credits = 0
    while true {
      let flow = shaping(leg).first
      guard !flow.isNone else { break }
      let index = SideIndex(flow, receiver: leg)
      if store.sendings[store[index].sending].turnCredit <= 0, credits < Self.mostCredits {
        credits &+= 1
        unlink(index)
        link(index)
        refill(index)
        continue
      }
      pending = PendingEmission()
      pending.flow = flow
      pending.leg = leg
      pending.hasTurn = true
      if let emission = makeSegment(flow, leg, head, vectors, first, largest, now) { return emission }
      leaveTurns(index)
    }
    if policies.shaping.isEmpty { shape(now) }
    return nil
  }

  /// The piece that `emitShaped` made has left.
  func hadShapedTurn(_ flow: RecordIndex, _ now: Instant) {
    let (leg, octets) = (pending.leg, pending.wireOctets)
    changeShaping(leg) { $0.shaper.sent(octets: octets, now: now) }
    if leg == .guest {
      counters.receiveShaped &+= UInt64(octets)
    } else {
      counters.transmitShaped &+= UInt64(octets)
    }
    let index = SideIndex(flow, receiver: leg)
    let sending = store[index].sending
    guard !sending.isNone, store.sendings[sending].awaitsTurn else { return }
    store.sendings[sending].turnCredit &-= Int32(clamping: octets)
    guard store.sendings[sending].turnCredit <= 0 else { return }
    unlink(index)
    link(index)
    refill(index)
  }

  /// What a side may send in its next turn (deficit round robin, as `hadTurn`).
  private func refill(_ index: SideIndex) {
    let weight = max(Int(policy(index).configuration.servingWeight), 1)
    let credit = Int(store.sendings[store[index].sending].turnCredit)
    store.sendings[store[index].sending].turnCredit = Int32(
      clamping: min(credit, 0) &+ weight &* shaping(index.receiver).shaper.quantum)
  }

  /// When somebody who waits may go on, for `nextDeadline`. If that is now it is for who asks `emit` next.
  private func noteWake(_ leg: Leg, _ now: Instant) {
    let shaped = shaping(leg)
    let earliest = shaped.shaper.earliest(now: now)
    guard !shaped.first.isNone, earliest > now else { return }
    if shaped.wake == nil { counters.shaperWaits &+= 1 }
    changeShaping(leg) {
      $0.wake = earliest
      $0.shaper.noteInTime()
    }
  }

  /// The earliest time at which somebody who waits may go on.
  var shapingDeadline: Instant? {
    guard let guest = shapingToGuest.wake else { return shapingToNetwork.wake }
    return min(guest, shapingToNetwork.wake ?? guest)
  }

  /// Whoever waited until `now` may be asked for by `emit`. If its leg takes nothing, it is the leg that wakes.
  func wakeShaped(_ now: Instant) {
    for leg in [Leg.guest, .network] {
      guard let wake = shaping(leg).wake, wake <= now else { continue }
      changeShaping(leg) {
        $0.wake = nil
        $0.shaper.noteLate()
      }
    }
  }

  /// To the end of the list of its leg.
  private func link(_ index: SideIndex) {
    let (leg, flow) = (index.receiver, index.flow)
    let last = shaping(leg).last
    store.sendings[store[index].sending].turn = ListLinks(previous: last, next: .none)
    if last.isNone { changeShaping(leg) { $0.first = flow } } else { setNext(of: last, leg, flow) }
    changeShaping(leg) { $0.last = flow }
  }

  private func unlink(_ index: SideIndex) {
    let (leg, links) = (index.receiver, store.sendings[store[index].sending].turn)
    if links.previous.isNone {
      changeShaping(leg) { $0.first = links.next }
    } else {
      setNext(of: links.previous, leg, links.next)
    }
    if links.next.isNone {
      changeShaping(leg) { $0.last = links.previous }
    } else {
      store.sendings[store[SideIndex(links.next, receiver: leg)].sending].turn.previous = links.previous
    }
  }

  private func setNext(of flow: RecordIndex, _ leg: Leg, _ next: RecordIndex) {
    store.sendings[store[SideIndex(flow, receiver: leg)].sending].turn.next = next
  }

  // MARK: Windows

  /// The most octets of the side that are held for its rate: what it needs for the way to the network's end and back, and some to choose from.
  /// Nil: there is no rate.
  func shapedRoom(_ index: SideIndex) -> Int? {
    guard isShaped(index.receiver) else { return nil }
    let far = store.flows[index.flow].leastRoundTrip
    let roundTrip = far == .unknown ? Self.assumedRoundTrip : far.interval
    let octets = shaping(index.receiver).shaper.octets(in: roundTrip + roundTrip + Self.slack)
    return min(max(octets, 4 &* Int(store[index].segmentSize)), LossRecovery.longestFlight)
  }

  /// Octets that the sender of a side may have in flight whose data pass (mode `snoop`): its portion of the rate, for a round trip; two segments at the
  /// least, so that the receiver acknowledges at once. Nil: there is no rate, or nothing is known yet.
  func shapedFlight(_ index: SideIndex) -> Int? {
    guard isShaped(index.receiver) else { return nil }
    let estimate = store.sendings[store[index].sending].recovery.roundTrip
    guard estimate.hasSample else { return nil }
    // To the receiver, and to the sender if that is the far one.
    let far = index.isTransmit ? .zero : store.flows[index.flow].leastRoundTrip.interval
    let shaper = shaping(index.receiver).shaper
    let most = min(shaper.octets(in: estimate.smoothed + far), LossRecovery.longestFlight)
    let weight = Double(policy(index).configuration.servingWeight)
    return max(Int(Double(most) * min(shaper.portion * weight, 1)), 2 &* Int(store[index].segmentSize))
  }
}
