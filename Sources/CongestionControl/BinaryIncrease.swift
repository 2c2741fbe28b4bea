// SPDX-License-Identifier: Apache-2.0

/// BIC (Xu, Harfoush and Rhee, "Binary Increase Congestion Control for Fast Long-Distance Networks", INFOCOM 2004): after a loss the window
/// searches between what it is and where the loss was, a half of the distance in each round trip, and beyond that slowly and then faster.
///
/// Constants as Linux has them; how far it is to the maximum is seen in whole segments, as there. And it grows nearly twice as fast as they say, as Linux does,
/// which corrects for delayed acknowledgments but counts all that is acknowledged: that makes of them what the paper has, 32 segments at the most, or a
/// half of the distance.
struct BinaryIncrease: BitwiseCopyable {
  /// Segments: below, it is Reno.
  private static let lowWindow = 14
  /// S_max: the most segments by which it grows in a round trip.
  private static let largestStep = 16
  /// B: what part of the distance is taken in a round trip.
  private static let search = 4
  /// Round trips for a segment, next to the last maximum.
  private static let smoothness = 20
  /// How many times as fast: Linux's estimate of how many segments an acknowledgment is for begins at 2 and, rounded as it is, stays between 31/16 and 2,
  /// whether each is acknowledged by itself or each second.
  private static let delayed = (31, 16)
  /// What remains after a loss, in 1/1024.
  static let keepFactor: UInt16 = 819

  /// Bytes; 0: there was no loss yet.
  private var lastMaximum: UInt32 = 0

  func grown(_ acknowledgment: Acknowledgment, credit: inout UInt32) -> Int {
    let octets = octetsPerStep(window: acknowledgment.window, acknowledgment.segmentSize)
    return acknowledgment.grown(per: max(octets, 1), credit: &credit)
  }

  /// Octets to be acknowledged for each segment by which the window grows.
  private func octetsPerStep(window: Int, _ segment: Int) -> Int {
    guard window > Self.lowWindow * segment else { return window }
    let octets = octetsPerSearch(window: window, segments: window / segment, maximum: Int(lastMaximum) / segment)
    // Before the first loss nothing is known: no slower than a twentieth of what is acknowledged.
    let bounded = lastMaximum == 0 ? min(octets, Self.smoothness * segment) : octets
    return bounded * Self.delayed.1 / Self.delayed.0
  }

  /// The same for a receiver that acknowledges each segment. Distances are whole segments.
  private func octetsPerSearch(window: Int, segments: Int, maximum: Int) -> Int {
    if segments < maximum {
      let part = (maximum - segments) / Self.search
      return part <= 1 ? window * Self.smoothness / Self.search : window / min(part, Self.largestStep)
    }
    let beyond = segments - maximum
    if beyond < Self.search { return window * Self.smoothness / Self.search }
    return beyond < Self.largestStep * (Self.search - 1)
      ? window * (Self.search - 1) / beyond : window / Self.largestStep
  }

  /// The window is about to be reduced. Who loses below his last maximum, by whole segments, gives way to newcomers.
  mutating func reduced(window: Int, segmentSize: Int, keepFactor: Int) {
    let isLess = window / segmentSize < Int(lastMaximum) / segmentSize
    lastMaximum = UInt32(truncatingIfNeeded: isLess ? window * (1024 + keepFactor) / 2048 : window)
  }

  /// Small windows are halved.
  static func keepFactor(window: Int, segmentSize: Int) -> UInt16 {
    window <= lowWindow * segmentSize ? 512 : keepFactor
  }
}
