// SPDX-License-Identifier: Apache-2.0

internal import Timekeeping

/// H-TCP (Leith and Shorten, "H-TCP: TCP for high-speed and long-distance networks", 2004; draft-leith-tcp-htcp): the longer the last loss lies back, the
/// faster it grows, so that all who share a path grow alike, whatever their windows. A loss takes what stands in the queue, a fifth to a half.
///
/// Growth is that of a path of 100 ms, more on longer and less on shorter ones, as Linux does it. Single precision, and only operations whose results
/// IEEE 754 fixes.
struct HTCP: BitwiseCopyable {
  /// Delta_L: so long it is Reno. Milliseconds.
  private static let patience: UInt32 = 1000
  /// Seconds.
  private static let referenceRoundTrip: Float = 0.1
  /// In 1/256.
  private static let leastBeta: UInt8 = 128
  private static let largestBeta: UInt8 = 204
  /// Delta_B: by how much of itself the throughput may differ from that at the loss before.
  private static let similar: Float = 0.2
  /// Microseconds. On shorter paths the round trip says little of queues; and one that is longer than all before by more than the second of these
  /// shows no queue that has grown, but a pause.
  private static let leastRoundTrip: UInt32 = 10_000
  private static let largestStep: UInt32 = 20_000
  /// Of `longest`.
  private static let unit: UInt32 = 64
  /// Shortest round trips after a recovery in which the path's share may be another one.
  private static let settling: UInt32 = 4

  /// When the last recovery was over, in milliseconds of the clock; wraps.
  private var began: UInt32 = 0
  /// The shortest round trip of all, microseconds; `max`: none yet.
  private var base = UInt32.max
  /// What was delivered since, in octets, and when that began, in microseconds of the clock; wraps.
  private var octets: UInt32 = 0
  private var spanBegan: UInt32 = 0
  /// B(k): octets in a microsecond, the most since the last loss, and until the loss before. 0: none was measured.
  private var rate: Float = 0
  private var rateBefore: Float = 0
  /// The longest round trip of late, in 64 microseconds; 0: none yet.
  private var longest: UInt16 = 0
  /// In 1/256.
  private var beta = leastBeta
  /// Whether the throughput at the last loss was that at the loss before.
  private var wasSimilar = false
  /// Whether `began` and `spanBegan` are set.
  private var hasBegun = false

  /// What remains after a loss, in 1/1024.
  var keepFactor: UInt16 { UInt16(beta) * 4 }

  /// Something arrived.
  mutating func delivered(_ delivery: Delivery) {
    if let sample = delivery.sample, sample.nanoseconds > 0 {
      observed(UInt32(clamping: max(sample.nanoseconds / 1000, 1)), isOpen: delivery.isOpen)
    }
    // A recovery delivers what it can; that says nothing of the path's share.
    guard delivery.isOpen else { return }
    let micros = UInt32(truncatingIfNeeded: delivery.now.nanoseconds / 1000)
    guard hasBegun else {
      hasBegun = true
      began = Self.milliseconds(delivery.now)
      spanBegan = micros
      octets = 0
      return
    }
    octets = UInt32(clamping: Int(octets) + delivery.bytes)
    let span = micros &- spanBegan
    guard base != .max, span >= base, Int(octets) >= delivery.window - delivery.segmentSize else { return }
    let measured = Float(octets) / Float(span)
    let since = Self.milliseconds(delivery.now) &- began
    if UInt64(since) * 1000 < UInt64(base) * UInt64(Self.settling) || rate == 0 {
      rate = measured
    } else {
      rate = max(rate, (3 * rate + measured) / 4)
    }
    octets = 0
    spanBegan = micros
  }

  private mutating func observed(_ micros: UInt32, isOpen: Bool) {
    base = min(base, micros)
    guard isOpen else { return }
    let before = max(UInt32(longest) * Self.unit, base)
    let after = micros > before && micros - before <= Self.largestStep ? micros : before
    longest = UInt16(clamping: after / Self.unit)
  }

  func grown(_ acknowledgment: Acknowledgment, credit: inout UInt32, now: Instant) -> Int {
    // In 1/1024 of a segment for a window: a segment for so many octets.
    let alpha = Int(min(2 * pace(now), 1e6) * Float(1024 - keepFactor))
    return acknowledgment.grown(per: max(acknowledgment.window * 1024 / max(alpha, 1), 1), credit: &credit)
  }

  /// alpha before it is scaled by what a loss takes: 1 + 10 (t - 1 s) + ((t - 1 s) / 2)^2.
  private func pace(_ now: Instant) -> Float {
    let since = Self.milliseconds(now) &- began
    // The half of what wraps is for a clock that went back.
    guard hasBegun, since > Self.patience, since < 1 << 31 else { return 1 }
    let seconds = Float(since - Self.patience) / 1000
    let alpha = 1 + 10 * seconds + seconds * seconds / 4
    guard base != .max else { return alpha }
    return max(alpha * min(max(Float(base) / 1e6 / Self.referenceRoundTrip, 0.1), 2), 1)
  }

  /// The window is about to be reduced. What stands in the queue is taken once the throughput was the same at three losses in a row: until then the
  /// round trips may be those of another share.
  mutating func reduced() {
    hasBegun = false
    let isSimilar = rateBefore > 0 && (rate - rateBefore).magnitude <= Self.similar * rateBefore
    beta = Self.leastBeta
    if isSimilar, wasSimilar, base > Self.leastRoundTrip, base != .max, longest > 0 {
      let share = UInt8(clamping: UInt64(base) * 256 / UInt64(max(UInt32(longest) * Self.unit, base)))
      beta = min(max(share, Self.leastBeta), Self.largestBeta)
    }
    wasSimilar = isSimilar
    rateBefore = rate
    // It fades: the queue may be another one's next time.
    let before = UInt32(longest) * Self.unit
    guard base != .max, before > base else { return }
    longest = UInt16(clamping: (base + (before - base) / 20 * 19) / Self.unit)
  }

  private static func milliseconds(_ now: Instant) -> UInt32 { UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000) }
}
