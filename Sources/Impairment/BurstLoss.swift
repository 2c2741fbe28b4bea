// SPDX-License-Identifier: Apache-2.0

/// Losses that come together: the model of Gilbert and Elliott, a good and a bad state, with a chance to change at each frame.
public struct BurstLoss: Equatable, Sendable {
  /// Of a frame in the good state to be the first in the bad one.
  public var toBad: Probability
  /// Of a frame in the bad state to be the first in the good one.
  public var toGood: Probability
  /// Of a frame in the bad state to be lost.
  public var lossInBad: Probability

  public init(toBad: Probability, toGood: Probability, lossInBad: Probability = .always) {
    self.toBad = toBad
    self.toGood = toGood
    self.lossInBad = lossInBad
  }
}
