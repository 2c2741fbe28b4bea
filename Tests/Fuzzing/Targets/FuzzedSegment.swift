// SPDX-License-Identifier: Apache-2.0

import Memory

/// A segment of an input, and how it is written.
struct FuzzedSegment {
  let end: FuzzedEnd
  var flags: UInt8 = 16
  var sequenceOffset: Int16 = 0
  var acknowledgmentOffset: Int16 = 0
  var window: UInt16 = 0
  var payloadCount = 0
  var options: [UInt8] = []
  var hasTimestamps = false
  /// The leg that it goes to takes it neither now nor later.
  var hasNoRoom = false

  init(_ end: FuzzedEnd) { self.end = end }

  static func word(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }

  /// Writes the whole frame. Its checksum is the pseudo-header's sum at most: those that vouch for it are believed.
  /// - Returns: the bytes of headers and of all of it; nil if there are too many options.
  func write(to frame: ByteRegion, sequence: UInt32, acknowledgment: UInt32, clock: UInt32) -> (
    headers: Int, length: Int
  )? {
    let all = (hasTimestamps ? [1, 1, 8, 10] + Self.word(clock) + Self.word(clock &- 3) : []) + options
    guard all.count <= 40 else { return nil }
    let tcp = end.isIPv6 ? 54 : 34
    let headers = tcp + 20 + all.count
    let count = min(payloadCount, 65_535 - (headers - 14))
    frame.copy(from: end.isNetwork ? [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2] : [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1])
    if end.isIPv6 {
      frame.copy(from: [0x86, 0xdd, 0x60, 0, 0, 0], at: 12)
      frame.storeNetworkOrder(UInt16(truncatingIfNeeded: headers - 54 + count), at: 18)
      frame.copy(from: [6, 64], at: 20)
      for (place, isNetwork) in [(22, end.isNetwork), (38, !end.isNetwork)] {
        frame.copy(from: [0xfd] + [UInt8](repeating: 0, count: 14) + [isNetwork ? 2 : 1], at: place)
      }
    } else {
      frame.copy(from: [8, 0, 0x45, 0], at: 12)
      frame.storeNetworkOrder(UInt16(truncatingIfNeeded: headers - 14 + count), at: 16)
      frame.copy(from: [0, 0, 0x40, 0, 64, 6, 0, 0], at: 18)
      frame.copy(from: [10, 0, 0, end.isNetwork ? 2 : 1, 10, 0, 0, end.isNetwork ? 1 : 2], at: 26)
    }
    frame.storeNetworkOrder(end.sourcePort, at: tcp)
    frame.storeNetworkOrder(end.destinationPort, at: tcp + 2)
    frame.storeNetworkOrder(sequence, at: tcp + 4)
    frame.storeNetworkOrder(acknowledgment, at: tcp + 8)
    frame.copy(from: [UInt8((headers - tcp) * 4), flags], at: tcp + 12)
    frame.storeNetworkOrder(window, at: tcp + 14)
    frame.copy(from: [0, 0, 0, flags & 32 != 0 ? 1 : 0], at: tcp + 16)
    frame.copy(from: all, at: tcp + 20)
    let first = sequence &+ (flags & 2 != 0 ? 1 : 0)
    for place in 0..<count { frame.store(end.octet(at: first &+ UInt32(place)), at: headers + place) }
    return (headers, headers + count)
  }
}
