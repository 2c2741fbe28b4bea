// SPDX-License-Identifier: Apache-2.0

/// What the size of a guest's large sends is tuned for ("Multi-Stage Large Send Offload": CPU usage, throughput, latency or any combination).
public enum FirstSizeObjective: UInt8, BitwiseCopyable, CaseIterable, Sendable {
  /// Processor time for each byte.
  case cpu
  /// Bytes for each second of large sends; to a lesser part processor time, since a link that is full hides all else.
  case throughput
  /// How long a packet waits behind a large one.
  case latency
  /// All three: three eighths each for processor and throughput, two for latency.
  case mix

  /// How much each figure counts, in eighths. They add up to 8, so that the same difference of the score means as much for each objective.
  var weights: (cost: Int, rate: Int, hold: Int) {
    switch self {
    case .cpu: (8, 0, 0)
    case .throughput: (1, 7, 0)
    case .latency: (0, 0, 8)
    // Where the hold is far beyond what waking up takes it doubles with the size, while a doubling gains 10 or 20 % of the others at the
    // most: with equal weights a mix would be `latency` under another name.
    case .mix: (3, 3, 2)
    }
  }

  /// Where a tie goes: 1 to the larger size, -1 to the smaller one, 0 to the one there is.
  ///
  /// A larger packet always saves the guest work that nobody sees here. Who asks for latency gets a larger one only where it is seen to
  /// be better.
  var preference: Int {
    switch self {
    case .cpu, .throughput: 1
    case .latency: -1
    case .mix: 0
    }
  }

  /// The score of what was seen with a size: less is better. 65,536ths of a doubling.
  func score(_ figures: FirstSizeFigures, multiple: Int) -> Int {
    let (cost, rate, hold) = weights
    // No overflow: the logarithms of three numbers at the most, each below 64 doublings.
    let weighted = (figures.cost &* cost &- figures.rate &* rate &+ figures.hold &* hold) / 8
    let doublings = BinaryLogarithm.of(multiple)
    return weighted &- preference &* doublings &* FirstSizeTuner.tie / BinaryLogarithm.doubling
  }
}
