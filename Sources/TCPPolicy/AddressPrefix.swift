// SPDX-License-Identifier: Apache-2.0

/// The addresses of one IP version whose first bits are the same.
public struct AddressPrefix: BitwiseCopyable, Hashable, Sendable {
  /// As in `Endpoint`: an IPv4 address is in the low 32 bits of `addressLow`. 0 behind the first `length` bits.
  public var addressHigh: UInt64
  public var addressLow: UInt64
  /// 0 to 32, or to 128. 0: all of the version.
  public var length: UInt8
  /// 4 or 6.
  public let ipVersion: UInt8

  /// - Parameter address: most significant octet first: 0x0a000001 is 10.0.0.1.
  public static func ipv4(_ address: UInt32, length: UInt8 = 32) -> AddressPrefix {
    AddressPrefix(addressHigh: 0, addressLow: UInt64(address), length: length, ipVersion: 4)
  }

  /// - Parameters:
  ///   - high: the address's first 64 bits.
  ///   - low: its last 64.
  public static func ipv6(_ high: UInt64, _ low: UInt64, length: UInt8 = 128) -> AddressPrefix {
    AddressPrefix(addressHigh: high, addressLow: low, length: length, ipVersion: 6)
  }

  public var allowedLength: ClosedRange<UInt8> { 0...(ipVersion == 4 ? 32 : 128) }

  /// Ones where an address must be as this one. Shifts by a word's size or more leave nothing.
  var maskHigh: UInt64 { ipVersion == 4 ? 0 : ~(.max >> UInt64(length)) }
  var maskLow: UInt64 {
    if ipVersion == 4 { return UInt64(~(UInt32.max >> UInt32(length))) }
    return length <= 64 ? 0 : ~(.max >> UInt64(length - 64))
  }

  /// Whether a bit is set that the length leaves out, which is likely to be a mistake.
  var hasBitsBehind: Bool {
    addressHigh & ~maskHigh != 0 || addressLow & ~maskLow != 0
  }
}
