// SPDX-License-Identifier: Apache-2.0

/// Scalable TCP (Kelly, "Scalable TCP: Improving Performance in Highspeed Wide Area Networks", 2003): a hundredth of what is acknowledged, so
/// that the time between two losses does not grow with the window. A loss takes an eighth. Up to 100 segments it grows as Reno does.
enum Scalable {
  /// 1 / a: segments acknowledged for each by which the window grows.
  private static let segmentsPerStep = 100

  static func grown(_ acknowledgment: Acknowledgment, credit: inout UInt32) -> Int {
    acknowledgment.grown(
      per: min(acknowledgment.window, segmentsPerStep * acknowledgment.segmentSize), credit: &credit)
  }
}
