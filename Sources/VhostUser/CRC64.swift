// SPDX-License-Identifier: Apache-2.0

/// The CRC of 64 bits that ECMA-182 has the polynomial of, in the form of the xz file format: bits reflected, all ones at
/// the start and inverted at the end.
enum CRC64 {
  private static let polynomial: UInt64 = 0xc96c_5795_d787_0f42

  private static let table: [UInt64] = (0..<256).map { byte in
    (0..<8).reduce(UInt64(byte)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ polynomial }
  }

  static func of(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    ~bytes.reduce(UInt64.max) { table[Int(truncatingIfNeeded: ($0 ^ UInt64($1)) & 0xff)] ^ $0 >> 8 }
  }
}
