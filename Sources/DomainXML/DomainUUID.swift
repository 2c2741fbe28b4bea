// SPDX-License-Identifier: Apache-2.0

/// The number that a domain keeps for its life, in libvirt's own form: 8-4-4-4-12 hexadecimal digits, small letters (RFC 9562, section 4).
public struct DomainUUID: Hashable, Sendable, CustomStringConvertible {
  public let description: String

  /// Of 32 hexadecimal digits, hyphens anywhere between them, as libvirt takes it.
  public init?(_ text: String) {
    guard text.utf8.count <= 64 else { return nil }
    var digits: [UInt8] = []
    for octet in text.utf8 where octet != UInt8(ascii: "-") {
      switch octet {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): digits.append(octet)
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digits.append(octet | 0x20)
      default: return nil
      }
    }
    guard digits.count == 32 else { return nil }
    let groups = [digits[0..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20..<32]]
    description = groups.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "-")
  }
}
