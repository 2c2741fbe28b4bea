// SPDX-License-Identifier: Apache-2.0

import LargeSend

/// A tuner under a load, and what became of it.
struct TunerRun {
  static let minute = 240

  var tuner: FirstSizeTuner
  var load: SyntheticLoad
  /// How often another size was settled on.
  private(set) var changes = 0
  /// Periods with another size than the one settled on.
  private(set) var away = 0
  private(set) var periods = 0
  private(set) var verdicts: [FirstSizeVerdict] = []
  /// Periods that it was settled on each multiple.
  private(set) var stays: [Int: Int] = [:]
  private(set) var isInRange = true

  init(_ tuner: FirstSizeTuner, _ load: SyntheticLoad) {
    self.tuner = tuner
    self.load = load
  }

  mutating func run(_ count: Int, _ during: (inout SyntheticLoad, Int) -> Void = { _, _ in }) {
    for index in 0..<count {
      during(&load, index)
      note(load.period(tuner.multiple))
    }
  }

  mutating func note(_ period: FirstSizeMeasurement) {
    periods += 1
    let settled = tuner.settledMultiple
    stays[settled, default: 0] += 1
    if tuner.multiple != settled { away += 1 }
    if let verdict = tuner.note(period) { verdicts.append(verdict) }
    if tuner.settledMultiple != settled { changes += 1 }
    isInRange = isInRange && (1...tuner.most).contains(tuner.multiple)
  }
}
