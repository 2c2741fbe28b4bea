// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import Simulation

// What the suites of both versions of BBR measure.

extension TransferMeasurement {
  /// What headers leave of a rate to the payload of segments of 1000.
  static func payload(_ rate: Double) -> Double { rate * 1000 / 1066 }

  /// A path of 20 Mbit/s and 40 ms with a queue that could hold eight times as much.
  init(throughDeepQueue algorithm: CongestionAlgorithm, octets: Int, isPaced: Bool = true) throws {
    try self.init(algorithm, roundTrip: 40, rate: 20, queue: 8, octets: octets, isPaced: isPaced)
  }

  /// The same algorithm and NewReno over 40 ms with one segment lost in a hundred.
  static func lossy(
    _ algorithm: CongestionAlgorithm, octets: Int
  ) throws -> (measured: TransferMeasurement, reno: TransferMeasurement) {
    (
      try TransferMeasurement(algorithm, roundTrip: 40, rate: 50, queue: 4, loss: 10, octets: octets),
      try TransferMeasurement(.newReno, roundTrip: 40, rate: 50, queue: 4, loss: 10, octets: octets / 4)
    )
  }

  /// It is filled, its rate is known to a tenth, and no more waits than it holds.
  var knowsBottleneck: Bool {
    abs(estimate / Self.payload(20) - 1) < 0.1 && steadyThroughput >= 0.9 * Self.payload(20)
      && throughput >= 0.9 * Self.payload(20) && longestRoundTrip <= 80
  }
}
