// SPDX-License-Identifier: Apache-2.0

/// Some periods at one size, which are compared as one. Each figure is the mean without the least and the most of them: a period in which
/// the machine did something else for a while has no say.
struct FirstSizeBlock: BitwiseCopyable {
  /// As few as can spare two.
  static let length = 5

  private struct Sum: BitwiseCopyable {
    var total = 0
    var least = Int.max
    var most = Int.min

    mutating func add(_ value: Int) {
      // Five logarithms.
      total &+= value
      least = min(least, value)
      most = max(most, value)
    }

    var mean: Int { (total &- least &- most) / (FirstSizeBlock.length - 2) }
  }

  private var count = 0
  private var cost = Sum()
  private var rate = Sum()
  private var hold = Sum()
  private var size = Sum()

  /// - Returns: what they say together, with the last of them; the block is empty then.
  mutating func add(_ period: FirstSizeFigures) -> FirstSizeFigures? {
    cost.add(period.cost)
    rate.add(period.rate)
    hold.add(period.hold)
    size.add(period.size)
    count &+= 1
    guard count == Self.length else { return nil }
    defer { self = Self() }
    return FirstSizeFigures(cost: cost.mean, rate: rate.mean, hold: hold.mean, size: size.mean)
  }
}
