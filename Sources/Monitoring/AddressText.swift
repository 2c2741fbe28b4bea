// SPDX-License-Identifier: Apache-2.0

/// An address and a port as people write them: RFC 5952 for IPv6.
public enum AddressText {
  public static func endpoint(high: UInt64, low: UInt64, port: UInt16, ipVersion: UInt8) -> String {
    let address = address(high: high, low: low, ipVersion: ipVersion)
    return ipVersion == 6 ? "[\(address)]:\(port)" : "\(address):\(port)"
  }

  public static func address(high: UInt64, low: UInt64, ipVersion: UInt8) -> String {
    guard ipVersion == 6 else {
      return (0..<4).map { "\(low >> UInt64(8 * (3 - $0)) & 0xff)" }.joined(separator: ".")
    }
    let groups = (0..<8).map { group -> UInt64 in
      (group < 4 ? high : low) >> UInt64(16 * (3 - group % 4)) & 0xffff
    }
    let words = groups.map { String($0, radix: 16) }
    let zeroes = longestRun(groups)
    guard zeroes.count > 1 else { return words.joined(separator: ":") }
    return words[..<zeroes.lowerBound].joined(separator: ":") + "::"
      + words[zeroes.upperBound...].joined(separator: ":")
  }

  /// The first of the longest runs of zeroes.
  private static func longestRun(_ groups: [UInt64]) -> Range<Int> {
    var best = 0..<0
    var start = 0
    for place in 0...groups.count where place == groups.count || groups[place] != 0 {
      if place - start > best.count { best = start..<place }
      start = place + 1
    }
    return best
  }
}
