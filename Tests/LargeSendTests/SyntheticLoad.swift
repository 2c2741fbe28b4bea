// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import LargeSend

/// A guest that sends, and what its large sends cost by size, with the noise of a machine that others use too. Periods of 250 ms.
struct SyntheticLoad {
  /// Nanoseconds of processor for a mebibyte, by multiple.
  var cost: (Int) -> Double
  /// Bytes for a second.
  var rate: (Int) -> Double
  /// Nanoseconds that a packet holds up others.
  var hold: (Int) -> Double
  /// Standard deviation of each figure. Besides, where there is any, something else takes half of the machine in every fiftieth period.
  var noise = 0.15
  /// How heavy the load of others is: 2 doubles cost and hold and halves the rate.
  var others = 1.0
  /// Whether packets are as large as was announced.
  var isTakenUp = true
  var generator: SplitMix64

  static let secondSize = 65536.0

  init(
    seed: Int, noise: Double = 0.15, cost: @escaping (Int) -> Double, rate: @escaping (Int) -> Double,
    hold: @escaping (Int) -> Double
  ) {
    generator = SplitMix64(seed: UInt64(seed) &+ 1000)
    self.noise = noise
    self.cost = cost
    self.rate = rate
    self.hold = hold
  }

  /// Larger packets cost less and gain some throughput, less with each doubling, and hold others up for longer.
  static func ordinary(seed: Int, noise: Double = 0.15) -> Self {
    Self(
      seed: seed, noise: noise, cost: { 150_000 + 150_000 / Double($0) }, rate: { 1e9 - 2e8 / Double($0) },
      hold: { 52_000 * Double($0) })
  }

  /// All sizes are alike in whatever is measured.
  static func alike(seed: Int, noise: Double) -> Self {
    Self(seed: seed, noise: noise, cost: { _ in 200_000 }, rate: { _ in 8e8 }, hold: { _ in 150_000 })
  }

  /// The link is full with any size.
  static func fullLink(seed: Int) -> Self {
    Self(seed: seed, noise: 0.1, cost: { _ in 200_000 }, rate: { _ in 1.25e8 }, hold: { 500_000 * Double($0) })
  }

  mutating func period(_ multiple: Int) -> FirstSizeMeasurement {
    let stall = noise > 0 && Int.random(in: 0..<50, using: &generator) == 0 ? 2.0 : 1.0
    let rate = self.rate(multiple) * factor() / others / stall
    let bytes = rate / 4
    let packets = max(bytes / (Self.secondSize * (isTakenUp ? Double(multiple) : 1)), 1)
    return FirstSizeMeasurement(
      elapsed: 250_000_000, processorTime: Int(bytes / 1_048_576 * cost(multiple) * factor() * others * stall),
      bytes: Int(bytes), packets: Int(packets), holdTime: Int(hold(multiple) * factor() * others * stall * packets))
  }

  private mutating func factor() -> Double {
    let deviate = (0..<3).reduce(0.0) { sum, _ in sum + .random(in: -1...1, using: &generator) }
    return max(1 + noise * deviate, 0.1)
  }
}
