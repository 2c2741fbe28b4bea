// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import Timekeeping

/// A congestion window whose sender always fills it, on a path without loss: each round trip all of it is acknowledged, by
/// acknowledgments of two segments.
struct Sender {
  var control: CongestionControl
  var now = Instant(nanoseconds: 1_000_000_000)
  let roundTrip: Interval
  static let segment = 1000

  init(_ knobs: CongestionKnobs, roundTrip: Interval = .milliseconds(100)) {
    control = CongestionControl(knobs: knobs, segmentSize: Self.segment)
    self.roundTrip = roundTrip
  }

  var segments: Double { Double(control.window) / Double(Self.segment) }

  mutating func acknowledge(
    _ bytes: Int, limited: Bool = true, sample: Interval? = nil, beginsRound: Bool = false
  ) {
    control.delivered(bytes: bytes, roundTrip: roundTrip, sample: sample, now: now)
    control.acknowledged(
      bytes: bytes, roundTrip: roundTrip, sample: sample, beginsRound: beginsRound, isWindowLimited: limited, now: now)
  }

  /// - Parameter sample: the round trip that each acknowledgment shows; nil: none does.
  mutating func runRoundTrip(limited: Bool = true, sample: Interval? = nil) {
    let window = control.window
    let begin = now
    var done = 0
    while done < window {
      let bytes = min(2 * Self.segment, window - done)
      done += bytes
      // Acknowledgments are spread over the round trip.
      now = begin + .nanoseconds(Int64(Double(roundTrip.nanoseconds) * Double(done) / Double(window)))
      acknowledge(bytes, limited: limited, sample: sample, beginsRound: done == bytes)
    }
  }

  /// A loss with all of the window in flight, and the recovery from it.
  mutating func lose() {
    control.lossDetected(inFlight: control.window, now: now)
    control.recoveryEnded()
  }

  static func knobs(_ algorithm: CongestionAlgorithm, window: UInt16 = 10, threshold: UInt32 = .max) -> CongestionKnobs
  {
    var knobs = CongestionKnobs()
    knobs.algorithm = algorithm
    knobs.initialWindow = window
    knobs.slowStartThreshold = threshold
    return knobs
  }
}
