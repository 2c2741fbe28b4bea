// SPDX-License-Identifier: Apache-2.0

import Testing
import Timekeeping

@testable import CongestionControl

// The path of the suites of both versions of BBR: 1.25 MB/s (10 Mbit/s) and 40 ms hold 50 segments.

extension RatePath {
  init(_ algorithm: CongestionAlgorithm, roundTrip: Interval = .milliseconds(40), buffer: Int? = nil) {
    self.init(rate: 1_250_000, roundTrip: roundTrip, knobs: Sender.knobs(algorithm))
    self.buffer = buffer
  }

  /// Version 1, when it knows the path.
  static func steadyBBR() -> RatePath {
    var path = RatePath(.bbr)
    path.run(.seconds(3))
    #expect(path.control.bbr.mode == .probeBandwidth)
    return path
  }

  /// Version 3, when it comes to a state for the first time.
  static func steadyBBR3(
    _ state: BBR3State = .cruise, roundTrip: Interval = .milliseconds(40), buffer: Int? = nil
  ) -> RatePath {
    var path = RatePath(.bbr3, roundTrip: roundTrip, buffer: buffer)
    path.run(.seconds(20)) { $0.control.bbr3.state == state }
    #expect(path.control.bbr3.state == state)
    return path
  }
}

extension Double {
  /// No further from it than that part of it.
  func isNear(_ expected: Double, _ part: Double) -> Bool { abs(self / expected - 1) <= part }
}
