// SPDX-License-Identifier: Apache-2.0

/// How often something happens, from 0 to 1.
public struct Probability: Equatable, Sendable {
  public static let never = Probability(0)
  public static let always = Probability(1)

  public let value: Double

  /// - Parameter value: brought into 0 to 1.
  public init(_ value: Double) {
    self.value = min(max(value, 0), 1)
  }

  /// "1%" or "0.01".
  init(parsing text: Substring, of name: Substring) throws(ImpairmentError) {
    let isPercent = text.hasSuffix("%")
    guard let number = Double(isPercent ? text.dropLast() : text), number >= 0, number <= (isPercent ? 100 : 1) else {
      throw ImpairmentError("\(name) is a part, such as 1% or 0.01, not '\(text)'")
    }
    self.init(isPercent ? number / 100 : number)
  }

  /// Whether it happens if 64 random bits are these.
  func happens(_ random: UInt64) -> Bool { Double(random >> 11) * 0x1p-53 < value }
}
