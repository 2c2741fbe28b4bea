// SPDX-License-Identifier: Apache-2.0

import Memory

extension InternetChecksum {
  /// From here on the vector loop is the faster one (measured on x86-64 with SSE2; one iteration is 64 bytes).
  private static let vectorThreshold = 128

  /// The sum of a piece as if it started at an even offset, in memory byte order, with end-around carry in 64 bits.
  ///
  /// SAFETY: `region.base` is valid for `region.count` bytes (the promise of `ByteRegion`); both loops below read only
  /// in `start..<count`.
  static func sum(of region: ByteRegion) -> UInt64 {
    let count = region.count
    guard count >= vectorThreshold else { return sumByCarry(region.base, from: 0, to: count) }
    let vectorEnd = count & ~63
    let head = sumByVector(region.base, to: vectorEnd)
    return addWithEndAroundCarry(head, sumByCarry(region.base, from: vectorEnd, to: count))
  }

  /// Eight bytes at a time, the carry added back in.
  @inline(__always)
  private static func sumByCarry(_ base: UnsafeMutableRawPointer, from start: Int, to end: Int) -> UInt64 {
    var sum: UInt64 = 0
    var offset = start
    while offset &+ 8 <= end {
      sum = addWithEndAroundCarry(sum, base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset &+= 8
    }
    // At most seven bytes: where a word lies in the 64 bits does not matter to the sum.
    var tail: UInt64 = 0
    if (end &- offset) & 4 != 0 {
      tail &+= UInt64(base.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
      offset &+= 4
    }
    if (end &- offset) & 2 != 0 {
      tail &+= UInt64(base.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
      offset &+= 2
    }
    if offset < end {
      // RFC 1071 §1: an odd last byte is the high half of a word whose low half is zero.
      let byte = base.loadUnaligned(fromByteOffset: offset, as: UInt8.self)
      tail &+= UInt64((UInt16(byte) &<< 8).bigEndian)
    }
    return addWithEndAroundCarry(sum, tail)
  }

  /// 64 bytes at a time. The halves of each 64-bit lane are summed apart, so no lane carries below 2³² iterations.
  private static func sumByVector(_ base: UnsafeMutableRawPointer, to end: Int) -> UInt64 {
    let mask = SIMD4<UInt64>(repeating: 0xffff_ffff)
    var low0 = SIMD4<UInt64>.zero
    var high0 = SIMD4<UInt64>.zero
    var low1 = SIMD4<UInt64>.zero
    var high1 = SIMD4<UInt64>.zero
    var offset = 0
    while offset < end {
      let first = base.loadUnaligned(fromByteOffset: offset, as: SIMD4<UInt64>.self)
      let second = base.loadUnaligned(fromByteOffset: offset &+ 32, as: SIMD4<UInt64>.self)
      low0 &+= first & mask
      high0 &+= first &>> 32
      low1 &+= second & mask
      high1 &+= second &>> 32
      offset &+= 64
    }
    return ((low0 &+ high0) &+ (low1 &+ high1)).wrappedSum()
  }
}
