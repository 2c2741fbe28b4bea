// SPDX-License-Identifier: Apache-2.0

internal import Timekeeping

/// H-TCP (Leith and Shorten, "H-TCP: TCP for high-speed and long-distance networks", 2004; draft-leith-tcp-htcp): the longer the last loss lies back, the
/// faster it grows, so that all who share a path grow alike, whatever their windows. A loss takes what stands in the queue, a fifth to a half.
///
/// Growth is that of a path of 100 ms, more on longer and less on shorter ones, as Linux does it. Single precision, and only operations whose results
/// IEEE 754 fixes.
struct HTCP: BitwiseCopyable {
  /// Delta_L: so long it is Reno.
  private static let patience = Interval.seconds(1)
  /// Seconds.
  private static let referenceRoundTrip: Float = 0.1
  private static let leastBeta: Float = 0.5
  private static let largestBeta: Float = 0.8
  /// By how much of itself the throughput may differ from that at the loss before.
  private static let similar: Float = 0.2
  /// On shorter paths the round trip says little of queues.
  private static let leastRoundTrip: UInt32 = 10_000

  private var lastLoss = Instant(nanoseconds: 0)
  /// Microseconds; `max` and 0: none yet. The shortest of all, and the longest of late.
  private var base = UInt32.max
  private var longest: UInt32 = 0
  /// Octets in a microsecond at the last loss; 0: there was none.
  private var rate: Float = 0
  private var beta = leastBeta
  /// Whether `lastLoss` is set.
  private var hasBegun = false

  /// What remains after a loss, in 1/1024.
  var keepFactor: UInt16 { UInt16(beta * 1024) }

  mutating func observed(sample: Interval?, now: Instant) {
    if !hasBegun {
      hasBegun = true
      lastLoss = now
    }
    guard let sample, sample.nanoseconds > 0 else { return }
    let micros = UInt32(clamping: max(sample.nanoseconds / 1000, 1))
    base = min(base, micros)
    longest = max(longest, micros)
  }

  func grown(_ acknowledgment: Acknowledgment, credit: inout UInt32, now: Instant) -> Int {
    let alpha = max(2 * (1 - beta) * pace(now), 1)
    // In 1/1024 of a segment for a window: a segment for so many octets.
    return acknowledgment.grown(
      per: max(acknowledgment.window * 1024 / Int(min(alpha, 1e6) * 1024), 1), credit: &credit)
  }

  /// alpha before it is scaled by what a loss takes: 1 + 10 (t - 1 s) + ((t - 1 s) / 2)^2.
  private func pace(_ now: Instant) -> Float {
    let since = now - lastLoss - Self.patience
    guard since.nanoseconds > 0 else { return 1 }
    let seconds = Float(since.nanoseconds) / 1e9
    let alpha = 1 + 10 * seconds + seconds * seconds / 4
    guard base != .max else { return alpha }
    return alpha * min(max(Float(base) / 1e6 / Self.referenceRoundTrip, 0.1), 2)
  }

  /// The window is about to be reduced.
  mutating func reduced(window: Int, now: Instant) {
    lastLoss = now
    hasBegun = true
    guard base != .max, longest > 0 else { return }
    let before = rate
    rate = Float(window) / Float(longest)
    let isSimilar = before > 0 && (rate - before).magnitude <= Self.similar * before
    beta =
      isSimilar && base > Self.leastRoundTrip
      ? min(max(Float(base) / Float(longest), Self.leastBeta), Self.largestBeta) : Self.leastBeta
    // The queue may be another one's next time.
    longest = base + (longest - base) / 4 * 3
  }
}
