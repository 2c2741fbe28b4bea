// SPDX-License-Identifier: Apache-2.0

import Glibc
import Memory
import Virtio

/// The guest's memory of all inputs, and a copy that only the driver writes: what differs was written by the device.
///
///     offset        0  area of the receiveq     0x4000: descriptors at 0, driver's at 0x1000, device's at 0x2000
///              0x4000  area of the transmitq    0x4000
///              0x8000  buffers and tables
///             0x10000  a hole of one page, in this process only
///             0x11000  buffers, the second region
///
/// For the guest the two regions adjoin: a buffer may lie in both. Offsets in inputs are the guest's, without the hole.
final class GuestStage {
  static let guestAddress: UInt64 = 0x10000
  static let userAddress: UInt64 = 0x7f00_0000_0000
  static let regionBytes = 0x10000
  static let hole = 0x1000
  static let guestBytes = 2 * regionBytes
  static let queueBytes = 0x4000
  static let rings = 0..<2 * queueBytes
  static let driverArea = 0x1000
  static let deviceArea = 0x2000

  /// Made once: the read probe compares addresses with its own on any thread.
  nonisolated(unsafe) static let shared = GuestStage()

  let memory = ByteRegion.allocate(count: guestBytes + hole, alignment: 4096)
  private let shadow = ByteRegion.allocate(count: guestBytes + hole, alignment: 4096)

  /// The dirty log of a front-end that migrates: a bit for each page of guest addresses.
  let dirtyLog = ByteRegion.allocate(count: 8)

  private func isMarked(_ place: Int) -> Bool {
    let offset = place < Self.regionBytes ? place : place - Self.hole
    let page = (Int(Self.guestAddress) + offset) / 4096
    return dirtyLog.load(UInt8.self, at: page / 8) >> UInt8(page % 8) & 1 != 0
  }

  func reset() {
    dirtyLog.fill(with: 0)
    memory.fill(with: 0)
    shadow.fill(with: 0)
  }

  /// The two regions as the device knows them.
  var regions: [GuestRegion] {
    [0, 1].compactMap { index in
      GuestRegion(
        guestAddress: Self.guestAddress + UInt64(index * Self.regionBytes),
        userAddress: Self.userAddress + UInt64(index * (Self.regionBytes + Self.hole)),
        mapping: memory.slice(from: index * (Self.regionBytes + Self.hole), count: Self.regionBytes))
    }
  }

  /// Where in `memory` the octet at that offset of the guest's lies.
  static func place(_ offset: Int) -> Int { offset < regionBytes ? offset : offset + hole }

  /// The driver writes. What does not lie in guest memory is left out.
  func write(_ octets: ByteRegion, at offset: Int) {
    for index in 0..<octets.count where offset + index < Self.guestBytes {
      store(octets.load(UInt8.self, at: index), at: Self.place(offset + index))
    }
  }

  /// `place`: in `memory`; at most the first region's last word.
  func store<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at place: Int) {
    memory.store(value, at: place)
    shadow.store(value, at: place)
  }

  /// The driver changes an octet while the device works. Returns whether the device has written it meanwhile.
  func flip(_ place: Int, _ bits: UInt8) -> Bool {
    let current: UInt8 = memory.load(at: place)
    let known: UInt8 = shadow.load(at: place)
    memory.store(current ^ bits, at: place)
    shadow.store(known ^ bits, at: place)
    return current != known
  }

  func isWritten(_ place: Int, _ count: Int) -> Bool {
    (place..<place + count).contains { memory.load(UInt8.self, at: $0) != shadow.load(UInt8.self, at: $0) }
  }

  func known<Value: FixedWidthInteger & BitwiseCopyable>(at place: Int) -> Value { shadow.load(at: place) }

  /// Takes over as known what the device has written. Where `offered` is not 1, `mayWrite` has to allow it; if it
  /// `isLogged`, its page is marked.
  func acknowledge(
    _ places: Range<Int>, offered: ByteRegion, isLogged: Bool, mayWrite: (Int) -> Bool
  ) throws(Finding) {
    let step = 512
    for start in stride(from: places.lowerBound, to: places.upperBound, by: step)
    where memcmp(memory.base + start, shadow.base + start, step) != 0 {
      try Finding.require(!isLogged || isMarked(start), "the device wrote behind \(start), which it did not mark")
      for word in stride(from: start, to: start + step, by: 8) {
        let written: UInt64 = memory.load(at: word)
        guard written != shadow.load(UInt64.self, at: word) else { continue }
        guard offered.load(UInt64.self, at: word) != 0x0101_0101_0101_0101 else { continue }
        for place in word..<word + 8 where isWritten(place, 1) && offered.load(UInt8.self, at: place) != 1 {
          try Finding.require(mayWrite(place), "the device wrote at \(place), which nobody has offered")
        }
      }
      memcpy(shadow.base + start, memory.base + start, step)
    }
  }
}
