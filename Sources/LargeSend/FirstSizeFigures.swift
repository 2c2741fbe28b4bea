// SPDX-License-Identifier: Apache-2.0

/// What large sends of a size cost. Kept as logarithms (`BinaryLogarithm`): a difference is a ratio, noise of so many percent is alike for
/// large figures and small ones, and there is nothing to divide.
public struct FirstSizeFigures: BitwiseCopyable, Equatable, Sendable {
  /// Processor time for a mebibyte, nanoseconds.
  let cost: Int
  /// Bytes for a second.
  let rate: Int
  /// `wakeUp` and the mean hold, nanoseconds.
  let hold: Int
  /// Bytes of a packet.
  let size: Int

  /// What it takes anyway until a packet is seen at the other end: waking up, mostly. Only a hold that is not small beside it matters, and
  /// without it there would be no logarithm of a hold of 0. Nanoseconds.
  static let wakeUp = 100_000

  init(cost: Int, rate: Int, hold: Int, size: Int) {
    self.cost = cost
    self.rate = rate
    self.hold = hold
    self.size = size
  }

  /// - Returns: nil if the period says nothing: too little was sent in it, or it can't be true.
  init?(_ period: FirstSizeMeasurement) {
    guard period.bytes >= FirstSizeTuner.leastTraffic, period.packets > 0, period.elapsed > 0, period.processorTime > 0,
      period.holdTime >= 0
    else { return nil }
    let bytes = BinaryLogarithm.of(period.bytes)
    cost = BinaryLogarithm.of(period.processorTime) &- bytes &+ 20 &* BinaryLogarithm.doubling
    rate = bytes &- BinaryLogarithm.of(period.elapsed) &+ BinaryLogarithm.of(1_000_000_000)
    // The mean hold of a large packet, not how often a small frame meets one: it is the tail of the delays that is felt.
    let held = min(period.holdTime / period.packets, Int.max - Self.wakeUp)
    hold = BinaryLogarithm.of(held &+ Self.wakeUp)
    size = bytes &- BinaryLogarithm.of(period.packets)
  }

  /// Processor time of the back-end for a mebibyte, nanoseconds.
  public var processorTimePerMebibyte: Int { BinaryLogarithm.power(cost) }
  public var bytesPerSecond: Int { BinaryLogarithm.power(rate) }
  /// How long a large packet held up what stood behind it, nanoseconds.
  public var meanHold: Int { max(BinaryLogarithm.power(hold) &- Self.wakeUp, 0) }
  public var bytesPerPacket: Int { BinaryLogarithm.power(size) }

  /// Between these and others.
  func mean(_ other: Self) -> Self {
    Self(
      cost: (cost &+ other.cost) / 2, rate: (rate &+ other.rate) / 2, hold: (hold &+ other.hold) / 2,
      size: (size &+ other.size) / 2)
  }

  /// The farthest that any figure but the size is from that of others. 65,536ths of a doubling.
  func distance(_ other: Self) -> Int {
    max(abs(cost &- other.cost), abs(rate &- other.rate), abs(hold &- other.hold))
  }
}
