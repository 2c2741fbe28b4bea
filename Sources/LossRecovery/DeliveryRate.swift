// SPDX-License-Identifier: Apache-2.0

internal import Timekeeping
internal import Wire

/// What a connection remembers for the estimation of its delivery rate: draft-cheng-iccrg-delivery-rate-estimation-00, section 3.1.1.
struct DeliveryRate: BitwiseCopyable, Sendable {
  /// C.delivered_time: when something was delivered last, or sending began anew.
  private(set) var deliveredAt = Instant(nanoseconds: 0)
  /// C.first_sent_time: when what was delivered last was sent, or sending began anew.
  private(set) var firstSent = Instant(nanoseconds: 0)
  /// C.delivered: octets, modulo 2^32.
  private(set) var delivered: UInt32 = 0
  /// C.lost: octets taken for lost, modulo 2^32 (draft-ietf-ccwg-bbr-06, section 2.2).
  private var lost: UInt32 = 0
  /// C.app_limited: what is sent before so much is delivered, left because there was no more to send; if `isLimited`.
  private var limitedUntil: UInt32 = 0
  /// Below it something was delivered that could not be noted, and will be found when it is acknowledged cumulatively: too late for any mark of before.
  /// If `isInDoubt`.
  private var doubtedUntil = SequenceNumber(rawValue: 0)
  private(set) var isInDoubt = false
  private(set) var isLimited = false
  /// `deliveredAt` and `firstSent` say something.
  private(set) var hasBegun = false

  /// Nothing is in flight, and something is to be sent.
  mutating func restart(now: Instant) {
    deliveredAt = now
    firstSent = now
    hasBegun = true
  }

  /// For what is sent now.
  mutating func mark(now: Instant) -> DeliveryMark {
    if !hasBegun { restart(now: now) }
    return DeliveryMark(
      delivered: delivered, sinceDelivered: Self.micros(now - deliveredAt), sinceFirstSent: Self.micros(now - firstSent)
    )
  }

  /// So many octets were delivered; the newest of what was, if it is known, had been sent then.
  mutating func deliver(_ octets: Int, sent: Instant?, now: Instant) {
    if let sent { firstSent = sent }
    guard octets > 0 else { return }
    delivered &+= UInt32(truncatingIfNeeded: octets)
    deliveredAt = now
    if isLimited, Int32(bitPattern: delivered &- limitedUntil) > 0 { isLimited = false }
  }

  /// So many octets are taken for lost.
  mutating func lose(_ octets: Int) { lost &+= UInt32(truncatingIfNeeded: octets) }

  /// C.lost as records remember it: 256 octets each, so that 16 MB that are lost in one flight can be told apart.
  var lostUnits: UInt16 { UInt16(truncatingIfNeeded: lost >> 8) }

  /// Octets lost since `lostUnits` were.
  func lost(since units: UInt16) -> Int { Int(lostUnits &- units) << 8 }

  /// There is no more to send than what is in flight.
  mutating func limit(inFlight: Int) {
    limitedUntil = delivered &+ UInt32(truncatingIfNeeded: max(inFlight, 0))
    isLimited = true
  }

  /// What was delivered below `end` could not be noted.
  mutating func doubt(until end: SequenceNumber) {
    doubtedUntil = isInDoubt ? .later(doubtedUntil, end) : end
    isInDoubt = true
  }

  mutating func acknowledged(to number: SequenceNumber) {
    if number >= doubtedUntil { isInDoubt = false }
  }

  /// The time in which what was delivered since the mark was: the longer one of sending and of acknowledging it (section 2.2.3).
  func interval(since mark: DeliveryMark, sent: Instant, now: Instant) -> Interval {
    max(now - sent + .microseconds(Int64(mark.sinceDelivered)), .microseconds(Int64(mark.sinceFirstSent)))
  }

  private static func micros(_ interval: Interval) -> UInt32 {
    UInt32(clamping: max((min(interval.nanoseconds, .max - 999) + 999) / 1000, 0))
  }
}
