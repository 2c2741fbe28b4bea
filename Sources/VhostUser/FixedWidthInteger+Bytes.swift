// SPDX-License-Identifier: Apache-2.0

extension FixedWidthInteger {
  /// The value's bytes as vhost-user carries them: in the order of the host, which is little-endian here.
  var littleEndianBytes: [UInt8] {
    (0..<Self.bitWidth / 8).map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) }
  }
}

extension String.StringInterpolation {
  mutating func appendInterpolation(hex value: UInt64) {
    appendInterpolation("0x" + String(value, radix: 16))
  }
}
