// SPDX-License-Identifier: Apache-2.0

/// BIC (Xu, Harfoush and Rhee, "Binary Increase Congestion Control for Fast Long-Distance Networks", INFOCOM 2004): after a loss the window
/// searches between what it is and where the loss was, a half of the distance in each round trip, and beyond that slowly and then faster.
///
/// Constants as Linux has them. Its correction for delayed acknowledgments is left out: octets are counted here, not acknowledgments.
struct BinaryIncrease: BitwiseCopyable {
  /// Segments: below, it is Reno.
  private static let lowWindow = 14
  /// S_max: the most segments by which it grows in a round trip.
  private static let largestStep = 16
  /// B: what part of the distance is taken in a round trip.
  private static let search = 4
  /// Round trips for a segment, next to the last maximum.
  private static let smoothness = 20
  /// What remains after a loss, in 1/1024.
  static let keepFactor: UInt16 = 819

  /// Bytes; 0: there was no loss yet.
  private var lastMaximum: UInt32 = 0

  func grown(_ acknowledgment: Acknowledgment, credit: inout UInt32) -> Int {
    let octets = roundTrips(window: acknowledgment.window, acknowledgment.segmentSize)
    return acknowledgment.grown(per: max(octets, 1), credit: &credit)
  }

  /// Octets to be acknowledged for each segment by which the window grows.
  private func roundTrips(window: Int, _ segment: Int) -> Int {
    let low = Self.lowWindow * segment
    guard window > low else { return window }
    let maximum = Int(lastMaximum)
    if window < maximum {
      let distance = (maximum - window) / Self.search
      if distance > Self.largestStep * segment { return window / Self.largestStep }
      return distance <= segment ? window * Self.smoothness / Self.search : window * segment / distance
    }
    let beyond: Int
    if window < maximum + Self.search * segment {
      beyond = window * Self.smoothness / Self.search
    } else if window < maximum + Self.largestStep * (Self.search - 1) * segment {
      beyond = window * segment * (Self.search - 1) / (window - maximum)
    } else {
      beyond = window / Self.largestStep
    }
    // Before the first loss nothing is known: no slower than a twentieth of what is acknowledged.
    return maximum == 0 ? min(beyond, Self.smoothness * segment) : beyond
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
