// SPDX-License-Identifier: Apache-2.0

import Memory

/// Writes blocks into memory, one after the other, in this machine's byte order. Who calls it has seen to it that there is room.
struct PcapngWriter {
  private let room: ByteRegion
  /// Octets that were written.
  private(set) var count = 0
  private var blockStart = 0

  init(_ room: ByteRegion) { self.room = room }

  mutating func begin(_ type: UInt32) {
    blockStart = count
    put(type)
    // Its length, which `end` knows.
    put(UInt32(0))
  }

  mutating func end() {
    let length = UInt32(truncatingIfNeeded: count &- blockStart &+ 4)
    put(length)
    room.store(length, at: blockStart &+ 4)
  }

  mutating func put(_ number: some FixedWidthInteger & BitwiseCopyable) {
    room.store(number, at: count)
    count &+= number.bitWidth / 8
  }

  /// A time as files have it: the upper half first.
  mutating func put(time nanoseconds: UInt64) {
    put(UInt32(truncatingIfNeeded: nanoseconds &>> 32))
    put(UInt32(truncatingIfNeeded: nanoseconds))
  }

  mutating func put(_ bytes: [UInt8]) {
    room.copy(from: bytes, at: count)
    fill(behind: bytes.count)
  }

  mutating func put(_ bytes: ByteRegion) {
    room.copy(from: bytes, at: count)
    fill(behind: bytes.count)
  }

  /// Room for so many octets that others write, filled up.
  mutating func place(_ count: Int) -> ByteRegion {
    let place = room.slice(from: self.count, count: count)
    fill(behind: count)
    return place
  }

  mutating func option(_ code: UInt16, _ bytes: [UInt8]) {
    put(code)
    put(UInt16(truncatingIfNeeded: bytes.count))
    put(bytes)
  }

  mutating func option(_ code: UInt16, _ bytes: ByteRegion) {
    put(code)
    put(UInt16(truncatingIfNeeded: bytes.count))
    put(bytes)
  }

  mutating func option(_ code: UInt16, _ number: some FixedWidthInteger & BitwiseCopyable) {
    put(code)
    put(UInt16(number.bitWidth / 8))
    put(number)
  }

  mutating func option(_ code: UInt16, time nanoseconds: UInt64) {
    put(code)
    put(UInt16(8))
    put(time: nanoseconds)
  }

  mutating func endOptions() { put(UInt32(0)) }

  /// Steps over `octets` and fills up with zeroes.
  private mutating func fill(behind octets: Int) {
    count &+= octets
    while count & 3 != 0 {
      room.store(UInt8(0), at: count)
      count &+= 1
    }
  }
}
