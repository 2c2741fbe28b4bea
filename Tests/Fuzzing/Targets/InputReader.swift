// SPDX-License-Identifier: Apache-2.0

import Memory

/// Takes numbers and octets from the front of an input. Little-endian; behind the end everything is zero.
struct InputReader {
  private let input: ByteRegion
  private var offset = 0

  init(_ input: ByteRegion) { self.input = input }

  var isAtEnd: Bool { offset >= input.count }

  mutating func byte() -> UInt8 {
    guard offset < input.count else { return 0 }
    defer { offset += 1 }
    return input.load(at: offset)
  }

  mutating func u16() -> UInt16 {
    let low = byte()
    return UInt16(low) | UInt16(byte()) << 8
  }

  mutating func u32() -> UInt32 {
    let low = u16()
    return UInt32(low) | UInt32(u16()) << 16
  }

  mutating func u64() -> UInt64 {
    let low = u32()
    return UInt64(low) | UInt64(u32()) << 32
  }

  /// Up to `count` octets, as many as there are.
  mutating func bytes(_ count: Int) -> ByteRegion {
    let taken = min(count, input.count - offset)
    defer { offset += taken }
    return input.slice(from: offset, count: taken)
  }

  /// All that is left.
  mutating func rest() -> ByteRegion { bytes(input.count - offset) }
}
