// SPDX-License-Identifier: Apache-2.0

internal import Timekeeping

/// TCP Illinois (Liu, Basar and Srikant, "TCP-Illinois: A loss and delay-based congestion control algorithm for high-speed networks", 2006): losses
/// say when to give way, delay says by how much, and how fast to grow: by ten segments in a round trip while queues are empty, by three tenths when
/// they are full; an eighth is lost, or a half.
struct Illinois: BitwiseCopyable {
  /// In 1/1024.
  private static let largestAlpha = 10 * 1024
  private static let leastAlpha = 307
  private static let alphaBase = 1024
  private static let leastBeta = 128
  private static let largestBeta = 512
  /// Segments: below, it is Reno.
  private static let leastWindow = 15
  /// Rounds without delay before it grows by most again.
  private static let patience: UInt8 = 5

  /// Microseconds: the sum of this round, the shortest and the longest of all.
  private var sum: UInt64 = 0
  private var count: UInt16 = 0
  private var alpha = UInt16(alphaBase)
  private var beta = UInt16(largestBeta)
  /// Rounds without delay, and whether there was any since.
  private var calm: UInt8 = 0
  private var hadDelay = false
  private var base = UInt32.max
  private var longest: UInt32 = 0

  /// What remains after a loss, in 1/1024.
  var keepFactor: UInt16 { 1024 - beta }

  mutating func observed(sample: Interval?) {
    guard let sample, sample.nanoseconds >= 0 else { return }
    let micros = UInt32(clamping: sample.nanoseconds / 1000)
    base = min(base, micros)
    longest = max(longest, micros)
    guard count < .max else { return }
    count &+= 1
    sum &+= UInt64(micros)
  }

  func grown(_ acknowledgment: Acknowledgment, credit: inout UInt32) -> Int {
    // In 1/1024 of a segment for a window: a segment for so many octets.
    acknowledgment.grown(per: max(acknowledgment.window * 1024 / Int(alpha), 1), credit: &credit)
  }

  /// All that was in flight when the round began is acknowledged.
  mutating func endRound(window: Int, segmentSize: Int) {
    defer {
      sum = 0
      count = 0
    }
    guard window / segmentSize >= Self.leastWindow else {
      alpha = UInt16(Self.alphaBase)
      beta = UInt16(Self.largestBeta)
      return
    }
    guard count > 0, longest >= base else { return }
    let most = Int(longest - base)
    let average = max(Int(sum / UInt64(count)) - Int(base), 0)
    alpha = UInt16(truncatingIfNeeded: nextAlpha(average: average, most: most))
    beta = UInt16(truncatingIfNeeded: Self.nextBeta(average: average, most: most))
  }

  private mutating func nextAlpha(average: Int, most: Int) -> Int {
    let small = most / 100
    guard average > small else {
      guard hadDelay else { return Self.largestAlpha }
      calm &+= 1
      guard calm >= Self.patience else { return Int(alpha) }
      calm = 0
      hadDelay = false
      return Self.largestAlpha
    }
    hadDelay = true
    let (range, delay) = (most - small, average - small)
    // From the largest without delay to the least at the longest: k1 / (k2 + delay).
    return range * Self.largestAlpha
      / max(range + delay * (Self.largestAlpha - Self.leastAlpha) / Self.leastAlpha, 1)
  }

  private static func nextBeta(average: Int, most: Int) -> Int {
    let (low, high) = (most / 10, most * 8 / 10)
    if average <= low { return leastBeta }
    if average >= high || high <= low { return largestBeta }
    return (leastBeta * high - largestBeta * low + (largestBeta - leastBeta) * average) / (high - low)
  }

  /// A timeout: what was measured says nothing of now.
  mutating func timedOut() {
    alpha = UInt16(Self.alphaBase)
    beta = UInt16(Self.largestBeta)
    calm = 0
    hadDelay = false
    sum = 0
    count = 0
  }
}
