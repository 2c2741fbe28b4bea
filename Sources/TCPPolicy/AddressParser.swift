// SPDX-License-Identifier: Apache-2.0

/// Addresses and prefixes as people write them.
public enum AddressParser {
  /// "10.0.0.0/8", "fd00::/8", or an address alone. Nil: it is none. The length may be more than there can be: that is `FlowMatch`'s to say.
  public static func prefix(_ text: Substring) -> AddressPrefix? {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    var length: UInt8?
    if parts.count == 2 {
      guard let number = decimal(parts[1], digits: 3), let octet = UInt8(exactly: number) else { return nil }
      length = octet
    }
    if let address = ipv4(parts[0]) { return .ipv4(address, length: length ?? 32) }
    guard let address = ipv6(parts[0]) else { return nil }
    return .ipv6(address.high, address.low, length: length ?? 128)
  }

  /// Four numbers with dots between.
  public static func ipv4(_ text: Substring) -> UInt32? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var address: UInt32 = 0
    for part in parts {
      // A zero in front meant octal once (RFC 6943, section 3.1.1).
      guard let number = decimal(part, digits: 3), number <= 255, part.count == 1 || part.first != "0" else {
        return nil
      }
      address = address << 8 | UInt32(number)
    }
    return address
  }

  /// RFC 4291, section 2.2.
  public static func ipv6(_ text: Substring) -> (high: UInt64, low: UInt64)? {
    guard text.utf8.count <= 45 else { return nil }
    var halves: [Substring] = []
    if let gap = text.firstIndex(of: "::") {
      halves = [text[..<gap], text[text.index(gap, offsetBy: 2)...]]
    } else {
      halves = [text]
    }
    var groups: [[UInt16]] = []
    for (place, half) in halves.enumerated() {
      guard let parsed = self.groups(half, endsAddress: place == halves.count - 1) else { return nil }
      groups.append(parsed)
    }
    let count = groups.reduce(0) { $0 + $1.count }
    // A gap stands for one group at least.
    guard halves.count == 1 ? count == 8 : count <= 7 else { return nil }
    let middle = [UInt16](repeating: 0, count: 8 - count)
    let all = halves.count == 1 ? groups[0] : groups[0] + middle + groups[1]
    let words = [all[0..<4], all[4..<8]].map { $0.reduce(UInt64(0)) { $0 << 16 | UInt64($1) } }
    return (words[0], words[1])
  }

  private static func groups(_ text: Substring, endsAddress: Bool) -> [UInt16]? {
    guard !text.isEmpty else { return [] }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    var groups: [UInt16] = []
    for (place, part) in parts.enumerated() {
      if endsAddress, place == parts.count - 1, let address = ipv4(part) {
        groups += [UInt16(truncatingIfNeeded: address >> 16), UInt16(truncatingIfNeeded: address)]
        continue
      }
      guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(isHexadecimal), let group = UInt16(part, radix: 16)
      else { return nil }
      groups.append(group)
    }
    return groups
  }

  private static func isHexadecimal(_ octet: UInt8) -> Bool {
    switch octet {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
      UInt8(ascii: "A")...UInt8(ascii: "F"):
      true
    default: false
    }
  }

  /// Digits and nothing else.
  static func decimal(_ text: Substring, digits: Int) -> Int? {
    guard (1...digits).contains(text.utf8.count),
      text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { return nil }
    return Int(text)
  }
}

extension Substring {
  /// Where the two characters begin.
  fileprivate func firstIndex(of pair: StaticString) -> Index? {
    let wanted = pair.description
    var place = startIndex
    while place < endIndex {
      if self[place...].hasPrefix(wanted) { return place }
      place = index(after: place)
    }
    return nil
  }
}
