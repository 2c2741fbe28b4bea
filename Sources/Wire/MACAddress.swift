// SPDX-License-Identifier: Apache-2.0

public import Memory

/// A 48-bit IEEE 802 MAC address. The first octet on the wire is the most significant.
public struct MACAddress: BitwiseCopyable, Hashable, Sendable, CustomStringConvertible {
  /// Octets on the wire.
  public static let length = 6
  public static let broadcast = MACAddress(rawValue: 0xffff_ffff_ffff)

  /// The address in the low 48 bits.
  public let rawValue: UInt64

  /// The low 48 bits of `rawValue`.
  @inlinable
  public init(rawValue: UInt64) {
    self.rawValue = rawValue & 0xffff_ffff_ffff
  }

  /// Six octets of `bytes` from `offset` on.
  @inlinable
  public init(decoding bytes: ByteRegion, at offset: Int = 0) {
    let high: UInt16 = bytes.networkOrder(at: offset)
    let low: UInt32 = bytes.networkOrder(at: offset + 2)
    rawValue = UInt64(high) &<< 32 | UInt64(low)
  }

  /// Parses six fields of two hexadecimal digits separated by colons: `52:54:00:12:34:56`.
  public init(parsing text: String) throws(WireError) {
    let fields = text.split(separator: ":", omittingEmptySubsequences: false)
    guard fields.count == Self.length else { throw .macAddressFieldCount(fields.count) }
    var value: UInt64 = 0
    for (index, field) in fields.enumerated() {
      // The digits are checked one by one: an integer's initialiser takes a sign too.
      guard field.utf8.count == 2, field.allSatisfy(\.isHexDigit), let octet = UInt8(field, radix: 16) else {
        throw .macAddressField(index: index, text: String(field))
      }
      value = value << 8 | UInt64(octet)
    }
    rawValue = value
  }

  /// Writes six octets into `bytes` from `offset` on.
  @inlinable
  public func encode(into bytes: ByteRegion, at offset: Int = 0) {
    bytes.storeNetworkOrder(UInt16(truncatingIfNeeded: rawValue &>> 32), at: offset)
    bytes.storeNetworkOrder(UInt32(truncatingIfNeeded: rawValue), at: offset + 2)
  }

  /// Whether the address names a group (IEEE 802 individual/group bit); broadcast is one. No station's own address is.
  @inlinable
  public var isMulticast: Bool { rawValue & 0x0100_0000_0000 != 0 }

  public var description: String {
    var text = ""
    for shift in stride(from: 40, through: 0, by: -8) {
      let octet = String(UInt8(truncatingIfNeeded: rawValue >> UInt64(shift)), radix: 16)
      text += octet.utf8.count == 1 ? "0\(octet)" : octet
      if shift > 0 { text += ":" }
    }
    return text
  }
}
