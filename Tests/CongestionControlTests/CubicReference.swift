// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The formulas of RFC 9438 as they are written there: segments, seconds, double precision, closed forms.
struct CubicReference {
  static let constant = 0.4
  var keep = 717.0 / 1024
  var peak: Double
  var begin: Double

  /// K: figure 2.
  var timeToPeak: Double { cbrt((peak - begin) / Self.constant) }

  /// W_cubic(t): figure 1.
  func curve(_ time: Double) -> Double {
    Self.constant * pow(time - timeToPeak, 3) + peak
  }

  /// W_est after so many round trips, each of which acknowledges one window: section 4.3. `prior`: cwnd_prior.
  func estimate(roundTrips: Int, prior: Double) -> Double {
    var estimate = begin
    for _ in 0..<roundTrips { estimate += estimate >= prior ? 1 : 3 * (1 - keep) / (1 + keep) }
    return estimate
  }
}
