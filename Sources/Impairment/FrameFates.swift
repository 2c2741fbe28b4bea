// SPDX-License-Identifier: Apache-2.0

/// The fates of the frames of one direction, in the order in which they come.
public struct FrameFates: Sendable {
  private let settings: ImpairmentSettings
  private let random: FrameRandom
  private var isBad = false
  /// How many frames there were.
  public private(set) var count: UInt64 = 0

  public init(_ settings: ImpairmentSettings, seed: UInt64) {
    self.settings = settings
    random = FrameRandom(seed: seed)
  }

  /// The fate of the next frame.
  ///
  /// - Parameter length: octets; only the choice of the bit that is turned over depends on it.
  public mutating func next(length: Int) -> FrameFate {
    let frame = count
    count &+= 1
    var fate = FrameFate()
    fate.isLost = happens(settings.loss, .loss, frame)
    fate.isLostInBurst = isLostInBurst(frame)
    fate.isReordered = happens(settings.reorder, .reorder, frame)
    fate.isDuplicated = happens(settings.duplicate, .duplicate, frame)
    fate.isMarked = happens(settings.mark, .mark, frame)
    fate.jitter = Double(random.bits(.jitter, frame: frame) >> 11) * 0x1p-52 - 1
    if length > 0, happens(settings.corrupt, .corrupt, frame) {
      fate.corruptedBit = Int(random.bits(.corruptedBit, frame: frame) % (UInt64(length) * 8))
    }
    return fate
  }

  private mutating func isLostInBurst(_ frame: UInt64) -> Bool {
    guard let bursts = settings.bursts else { return false }
    if happens(isBad ? bursts.toGood : bursts.toBad, .burst, frame) { isBad.toggle() }
    return isBad && happens(bursts.lossInBad, .burstLoss, frame)
  }

  private func happens(_ probability: Probability, _ draw: FrameRandom.Draw, _ frame: UInt64) -> Bool {
    probability.happens(random.bits(draw, frame: frame))
  }
}
