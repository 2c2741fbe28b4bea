// SPDX-License-Identifier: Apache-2.0

internal import Timekeeping

/// What an algorithm is told in congestion avoidance.
struct Acknowledgment {
  /// Newly acknowledged; at least 1, at most `window`.
  let bytes: Int
  /// The window now.
  let window: Int
  let segmentSize: Int
  /// In 1/1024; 1 to 1023.
  let keepFactor: Int
  /// In 1/1024 of what the algorithm says.
  let additiveIncrease: Int
  /// The smoothed round trip.
  let roundTrip: Interval

  /// The window, larger by a segment for each `octets` that are acknowledged. `credit`: those since it last grew.
  func grown(per octets: Int, credit: inout UInt32) -> Int {
    let credited = min(Int(credit), octets) + bytes
    let steps = credited / octets
    credit = UInt32(clamping: credited - steps * octets)
    return steps == 0 ? window : window + steps * max(segmentSize * additiveIncrease / 1024, 1)
  }
}
