// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
import Wire

/// The addresses of one IP version whose first bits are the same, for sets of them: one is part of another, or they have nothing in common.
struct AddressBlock: Hashable, Sendable, CustomStringConvertible {
  /// The address's first bit is the highest, for either version. 0 behind the first `length` bits.
  let bits: UInt128
  /// 0 to 32, or to 128.
  let length: Int
  let isIPv6: Bool

  static let everything = [
    AddressBlock(bits: 0, length: 0, isIPv6: false), AddressBlock(bits: 0, length: 0, isIPv6: true),
  ]

  init(bits: UInt128, length: Int, isIPv6: Bool) {
    self.bits = bits & Self.mask(length)
    self.length = length
    self.isIPv6 = isIPv6
  }

  init(_ prefix: AddressPrefix) {
    self.init(
      bits: Self.bits(prefix.addressHigh, prefix.addressLow, isIPv6: prefix.ipVersion == 6),
      length: Int(prefix.length), isIPv6: prefix.ipVersion == 6)
  }

  /// One address.
  init(_ end: Endpoint, isIPv6: Bool) {
    self.init(
      bits: Self.bits(end.addressHigh, end.addressLow, isIPv6: isIPv6), length: isIPv6 ? 128 : 32, isIPv6: isIPv6)
  }

  private static func bits(_ high: UInt64, _ low: UInt64, isIPv6: Bool) -> UInt128 {
    isIPv6 ? UInt128(high) << 64 | UInt128(low) : UInt128(low) << 96
  }

  private static func mask(_ length: Int) -> UInt128 { length == 0 ? 0 : ~UInt128(0) << UInt128(128 - length) }

  var longest: Int { isIPv6 ? 128 : 32 }

  /// Where it stands among all of both versions.
  var first: (Int, UInt128) { (isIPv6 ? 1 : 0, bits) }

  /// As the classifier has it.
  var prefix: AddressPrefix {
    let octet = UInt8(clamping: length)
    guard isIPv6 else { return .ipv4(UInt32(truncatingIfNeeded: bits >> 96), length: octet) }
    return .ipv6(UInt64(truncatingIfNeeded: bits >> 64), UInt64(truncatingIfNeeded: bits), length: octet)
  }

  func contains(_ other: AddressBlock) -> Bool {
    isIPv6 == other.isIPv6 && length <= other.length && other.bits & Self.mask(length) == bits
  }

  /// The two halves; nil: it is one address.
  private var halves: [AddressBlock]? {
    guard length < longest else { return nil }
    let upper = UInt128(1) << UInt128(127 - length)
    return [bits, bits | upper].map { AddressBlock(bits: $0, length: length + 1, isIPv6: isIPv6) }
  }

  /// What is left of it without the others, in blocks as large as there can be; at most `limit` and one.
  private func without(_ others: [AddressBlock], limit: Int) -> [AddressBlock] {
    let near = others.filter { $0.contains(self) || contains($0) }
    if near.isEmpty { return [self] }
    if near.contains(where: { $0.contains(self) }) { return [] }
    var left: [AddressBlock] = []
    for half in halves ?? [] where left.count <= limit { left += half.without(near, limit: limit - left.count) }
    return left
  }

  /// Of some blocks what is in none of the others; at most `limit` and one.
  static func subtract(_ others: [AddressBlock], from blocks: [AddressBlock], limit: Int = .max - 1) -> [AddressBlock] {
    var left: [AddressBlock] = []
    for block in normalized(blocks) where left.count <= limit {
      left += block.without(others, limit: limit - left.count)
    }
    return left
  }

  /// What both have.
  static func intersect(_ some: [AddressBlock], _ others: [AddressBlock]) -> [AddressBlock] {
    normalized(some.flatMap { one in others.compactMap { one.contains($0) ? $0 : $0.contains(one) ? one : nil } })
  }

  /// In order, without those that are part of others.
  static func normalized(_ blocks: [AddressBlock]) -> [AddressBlock] {
    let sorted = blocks.sorted {
      ($0.isIPv6 ? 1 : 0, $0.bits, $0.length) < ($1.isIPv6 ? 1 : 0, $1.bits, $1.length)
    }
    var kept: [AddressBlock] = []
    // What contains a block stands before it, and nothing between them that it does not contain.
    for block in sorted where kept.last.map({ !$0.contains(block) }) ?? true { kept.append(block) }
    return kept
  }

  var description: String {
    let suffix = length == longest ? "" : "/\(length)"
    guard isIPv6 else {
      return (0..<4).map { "\((bits >> UInt128(120 - 8 * $0)) & 0xff)" }.joined(separator: ".") + suffix
    }
    let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> UInt128(112 - 16 * $0)) }
    return Self.text(groups) + suffix
  }

  /// RFC 5952: the longest run of zeros, from two on, becomes two colons.
  private static func text(_ groups: [UInt16]) -> String {
    var (start, count) = (0, 0)
    for first in groups.indices {
      let run = groups[first...].prefix { $0 == 0 }.count
      if run > count { (start, count) = (first, run) }
    }
    func join(_ part: ArraySlice<UInt16>) -> String { part.map { String($0, radix: 16) }.joined(separator: ":") }
    guard count >= 2 else { return join(groups[...]) }
    return join(groups[..<start]) + "::" + join(groups[(start + count)...])
  }
}
