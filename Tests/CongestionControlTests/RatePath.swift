// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import Timekeeping

/// A path of a rate with a queue, and a sender that obeys window and pacing rate. Segments of 1000, acknowledged one by one; what is told of each is
/// calculated here, by sections 2 and 3 of draft-cheng-iccrg-delivery-rate-estimation-00.
struct RatePath {
  static let segment = 1000

  private struct Flight {
    let sent: Instant
    let firstSent: Instant
    let deliveredAt: Instant
    let delivered: Int
    let isLimited: Bool
    let arrives: Instant
    let isLost: Bool
    let inFlight: Int
    let lost: Int
  }

  var control: CongestionControl
  var now = Instant(nanoseconds: 1_000_000_000)
  /// Octets a second; may change.
  var rate: Int
  /// Without the queue; may change.
  var roundTrip: Interval
  /// Each so-manieth segment is lost; 0: none.
  var loses = 0
  /// Octets that may wait at the narrow place; more are lost. nil: no end.
  var buffer: Int?
  /// What is acknowledged in this time is acknowledged at its end, all at once; zero: each for itself.
  var lumps = Interval.zero
  /// Octets that may be sent in all; nil: no end.
  var supply: Int?

  private var flights: [Flight] = []
  private var free: Instant
  private var next: Instant
  private var firstSent: Instant
  private var deliveredAt: Instant
  private(set) var delivered = 0
  private(set) var sent = 0
  private var limitedUntil = 0
  private var recoveryBegan = Instant(nanoseconds: 0)
  private(set) var longestQueue = 0
  private(set) var lost = 0
  private var lastIsLost = false

  init(rate: Int, roundTrip: Interval, knobs: CongestionKnobs = Sender.knobs(.bbr)) {
    control = CongestionControl(knobs: knobs, segmentSize: Self.segment)
    self.rate = rate
    self.roundTrip = roundTrip
    (free, next, firstSent, deliveredAt) = (now, now, now, now)
  }

  var inFlight: Int { flights.count * Self.segment }
  /// Octets.
  var pipe: Int { rate * Int(roundTrip.nanoseconds / 1000) / 1_000_000 }

  /// Octets that wait at the narrow place.
  var queue: Int { max(Int(Double((free - now).nanoseconds) * Double(rate) / 1e9), 0) }

  mutating func resetQueue() { longestQueue = 0 }

  /// Runs until `end` says so, or for a time; looks after each acknowledgment. Returns whether `end` did.
  @discardableResult
  mutating func run(_ time: Interval, until end: (RatePath) -> Bool = { _ in false }) -> Bool {
    let limit = now + time
    while now < limit {
      let maySend = inFlight + Self.segment <= control.window && supply.map { sent < $0 } ?? true
      let soonest = flights.first?.arrives
      if maySend, soonest.map({ max(next, now) <= $0 }) ?? true {
        now = max(next, now)
        send()
      } else if let soonest {
        now = max(soonest, now)
        acknowledge()
        if end(self) { return true }
      } else {
        now = limit
      }
    }
    return false
  }

  private mutating func send() {
    if flights.isEmpty {
      (firstSent, deliveredAt) = (now, now)
      control.restarted(roundTrip: .zero, isApplicationLimited: delivered < limitedUntil, now: now)
    }
    sent += Self.segment
    let isDropped = buffer.map { queue + Self.segment > $0 } ?? false
    let isLost = isDropped || (loses > 0 && sent / Self.segment % loses == 0)
    if !isDropped { free = max(free, now) + .nanoseconds(Int64(Self.segment) * 1_000_000_000 / Int64(rate)) }
    var arrives = max(free, now) + roundTrip
    if lumps > .zero {
      let rest = (arrives - Instant(nanoseconds: 0)).nanoseconds % lumps.nanoseconds
      arrives = arrives + .nanoseconds(lumps.nanoseconds - rest)
    }
    flights.append(
      Flight(
        sent: now, firstSent: firstSent, deliveredAt: deliveredAt, delivered: delivered,
        isLimited: delivered < limitedUntil, arrives: arrives, isLost: isLost, inFlight: inFlight + Self.segment,
        lost: lost
      ))
    longestQueue = max(longestQueue, queue)
    let pace = control.pacingRate ?? Pacer.unlimited
    next = max(next, now) + .nanoseconds(Int64(Self.segment) * 1_000_000_000 / pace)
  }

  private mutating func acknowledge() {
    let flight = flights.removeFirst()
    var sample = RateSample()
    sample.priorInFlight = (flights.count + 1) * Self.segment
    sample.inFlight = inFlight
    if flight.isLost {
      // Others that came tell of it; it is sent again as any other.
      sample.newlyLost = Self.segment
      lost += Self.segment
      tellLoss(of: flight)
      control.lossDetected(inFlight: inFlight, now: now)
    } else {
      delivered += Self.segment
      deliveredAt = now
      firstSent = flight.sent
      sample.newlyDelivered = Self.segment
      sample.delivered = delivered - flight.delivered
      sample.interval = max(flight.sent - flight.firstSent, now - flight.deliveredAt)
      sample.priorTotal = UInt32(truncatingIfNeeded: flight.delivered)
      sample.isApplicationLimited = flight.isLimited
      sample.roundTrip = now - flight.sent
      (sample.inFlightAtSend, sample.lost) = (flight.inFlight, lost - flight.lost)
      if control.phase == .recovery, flight.sent > recoveryBegan { control.recoveryEnded() }
    }
    if flight.isLost { recoveryBegan = now }
    lastIsLost = flight.isLost
    sample.total = UInt32(truncatingIfNeeded: delivered)
    control.sampled(sample, now: now)
    if let supply, sent >= supply { limitedUntil = delivered + inFlight + 1 }
    if control.isProbingRoundTrip { limitedUntil = delivered + inFlight + 1 }
  }

  private mutating func tellLoss(of flight: Flight) {
    var loss = LossSample()
    (loss.octets, loss.inFlightAtSend, loss.lost) = (Self.segment, flight.inFlight, lost - flight.lost)
    (loss.total, loss.isApplicationLimited) = (UInt32(truncatingIfNeeded: delivered), flight.isLimited)
    loss.beginsRange = !lastIsLost
    control.lost(loss, now: now)
  }
}
