// SPDX-License-Identifier: Apache-2.0

/// The name of a configuration or of a class of connections: 1 to 32 letters, digits, "-", "_" and "." of ASCII. It is stored
/// flat, and harmless wherever it is printed.
public struct PolicyName: BitwiseCopyable, Hashable, Sendable, CustomStringConvertible {
  public static let maximumLength = 32

  /// Of whatever no rule speaks of.
  public static let fallback = PolicyName(literal: "default")

  // From the lowest octet of the first word on; 0 behind the end.
  private var first: UInt64 = 0
  private var second: UInt64 = 0
  private var third: UInt64 = 0
  private var fourth: UInt64 = 0

  /// Nil if it is empty, too long, or of other characters.
  public init?(_ text: some StringProtocol) {
    let octets = text.utf8
    guard !octets.isEmpty, octets.prefix(Self.maximumLength + 1).count <= Self.maximumLength,
      octets.allSatisfy(Self.isAllowed)
    else { return nil }
    self.init(octets: octets)
  }

  /// Of a text of our own.
  init(literal: StaticString) {
    let text = literal.description
    precondition(PolicyName(text) != nil, "not a name")
    self.init(octets: text.utf8)
  }

  private init(octets: some Sequence<UInt8>) {
    for (index, octet) in octets.enumerated() {
      let bits = UInt64(octet) << UInt64(index % 8 * 8)
      switch index / 8 {
      case 0: first |= bits
      case 1: second |= bits
      case 2: third |= bits
      default: fourth |= bits
      }
    }
  }

  public var description: String {
    var text = ""
    for word in [first, second, third, fourth] {
      for shift in stride(from: UInt64(0), to: 64, by: 8) {
        let octet = UInt8(truncatingIfNeeded: word >> shift)
        guard octet != 0 else { return text }
        text.unicodeScalars.append(Unicode.Scalar(octet))
      }
    }
    return text
  }

  private static func isAllowed(_ octet: UInt8) -> Bool {
    switch octet {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
    default: false
    }
  }
}
