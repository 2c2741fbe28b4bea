// SPDX-License-Identifier: Apache-2.0

/// What an administrator says of the packets that a guest may hand over.
public enum LargeSendSetting: Equatable, Sendable {
  /// Up to 64 KiB, as without a word.
  case off
  /// Up to so many bytes, rounded down to a multiple of what the uplink takes.
  case size(Int)
  /// What is found best for this while the guest sends.
  case tuned(FirstSizeObjective)

  /// `off`, an objective, or a size in bytes or in KiB ("262144", "256KiB").
  /// - Returns: nil for anything else, and for a size that can't be.
  public init?(parsing text: String) {
    guard text != "off" else {
      self = .off
      return
    }
    if let objective = FirstSizeObjective.allCases.first(where: { "\($0)" == text }) {
      self = .tuned(objective)
      return
    }
    let isKibibytes = text.hasSuffix("KiB")
    guard let number = Int(isKibibytes ? text.dropLast(3) : text[...]), number > 0, number <= FirstSizes.most else {
      return nil
    }
    let size = isKibibytes ? min(number << 10, FirstSizes.most) : number
    // 512 KiB are 8 bytes more than Linux makes.
    guard size >= FirstSizes.least, !isKibibytes || number <= 512 else { return nil }
    self = .size(size)
  }

  /// What can be said, for who said something else.
  public static let choices =
    "off, cpu, throughput, latency, mix, or a size from 4096 to \(FirstSizes.most) bytes or from 4KiB to 512KiB"
}

extension LargeSendSetting: CustomStringConvertible {
  public var description: String {
    switch self {
    case .off: "off"
    case .size(let size): "\(size)"
    case .tuned(let objective): "\(objective)"
    }
  }
}
