// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

/// Something that a hostile driver puts on a ring, named by the weakness elsewhere that taught it.
struct HostileChain: Sendable, CustomTestStringConvertible {
  enum Direction: Sendable {
    case transmit
    case receive
  }

  typealias Descriptor = (address: UInt64, length: UInt32, flags: UInt16, next: UInt16)

  var name: String
  var direction: Direction
  /// Descriptors in the order in which they are written, the first is the head. Addresses are relative to `good`, an
  /// address of ordinary memory, where `Place` says so.
  var descriptors: @Sendable (UInt64, GuestRAM) -> [Descriptor]

  var testDescription: String { name }

  private static let next = DriverQueue.flagNext
  private static let write = DriverQueue.flagWrite
  private static let indirect = DriverQueue.flagIndirect

  private static func both(
    _ name: String, _ make: @escaping @Sendable (UInt64, GuestRAM, UInt16) -> [Descriptor]
  ) -> [HostileChain] {
    [
      HostileChain(name: "transmit: \(name)", direction: .transmit) { make($0, $1, 0) },
      HostileChain(name: "receive: \(name)", direction: .receive) { make($0, $1, write) },
    ]
  }

  static let addresses: [HostileChain] =
    both("CVE-2018-1059 address beyond all memory") { _, _, way in [(0xffff_ffff_ffff_0000, 100, way, 0)] }
    + both("address + length wraps") { _, _, way in [(0 &- 50, 100, way, 0)] }
    + both("CVE-2020-10725 length 0 at a bad address") { _, _, way in [(0xdead_0000_0000, 0, way, 0)] }
    + both("length 2^32-1") { good, _, way in [(good, 0xffff_ffff, way, 0)] }
    + both("buffer across the hole at 0xa0000") { _, _, way in [(GuestRAM.holeStart - 60, 0x20100, way, 0)] }
    + both("buffer in the hole") { _, _, way in [(GuestRAM.holeStart + 64, 100, way, 0)] }
    + both("buffer over the end of memory") { _, ram, way in [(UInt64(ram.size) - 50, 100, way, 0)] }
    + both("second descriptor at a bad address") { good, _, way in
      [(good, 100, way | next, 1), (0xffff_ffff_0000, 100, way, 0)]
    }
    + both("wrong direction") { good, _, way in [(good, 100, way ^ write, 0)] }
    + both("readable after writable") { good, _, way in [(good, 100, write | next, 1), (good, 100, 0, 0)] }
    + both("CVE-2019-14835 no octets at all") { good, _, way in [(good, 0, way, 0)] }

  static let tables: [HostileChain] =
    both("qemu#3984 indirect table of length 0") { good, _, _ in [(good, 0, indirect, 0)] }
    + both("indirect table of 17 octets") { good, _, _ in [(good, 17, indirect, 0)] }
    + both("indirect table of 2^32-16 octets") { good, _, _ in [(good, 0xffff_fff0, indirect, 0)] }
    + both("indirect table outside of memory") { _, _, _ in [(0xffff_ffff_0000, 64, indirect, 0)] }
    + both("indirect table at 2^64-16") { _, _, _ in [(0 &- 16, 64, indirect, 0)] }
    + both("indirect table across the hole") { _, _, _ in [(GuestRAM.holeStart - 32, 64, indirect, 0)] }
    + both("INDIRECT with NEXT") { good, _, way in
      [(good, 32, indirect | next, 1), (good, 100, way, 0)]
    }
    + both("indirect in indirect") { good, ram, _ in
      table(ram, good, [(good, 32, indirect, 0), (good, 32, indirect, 0)])
      return [(good, 32, indirect, 0)]
    }
    + both("indirect table that leads out of itself") { good, ram, way in
      table(ram, good, [(good, 10, way | next, 7), (good, 10, way | next, 7)])
      return [(good, 32, indirect, 0)]
    }
    + both("CVE-2026-86847 indirect table that loops") { good, ram, way in
      table(ram, good, [(good, 10, way | next, 1), (good, 10, way | next, 0)])
      return [(good, 32, indirect, 0)]
    }
    + both("an indirect table of 4096 entries") { good, ram, way in
      table(ram, good, (0..<4096).map { (good, 1, $0 == 4095 ? way : way | next, $0 + 1) })
      return [(good, 65536, indirect, 0)]
    }

  static let loops: [HostileChain] =
    both("descriptor that follows itself") { good, _, way in [(good, 100, way | next, 0)] }
    + both("two descriptors that follow each other") { good, _, way in
      [(good, 100, way | next, 1), (good, 100, way | next, 0)]
    }
    + both("next outside of the ring") { good, _, way in [(good, 100, way | next, 0xffff)] }

  static let runts: [HostileChain] =
    (0..<14).map { runt("transmit: CVE-2022-2132 \($0) octets in all", .transmit, length: $0) }
    + (0...20).map { runt("receive: CVE-2026-86566 buffer of \($0) octets", .receive, length: $0) }

  /// A header, or less, over more descriptors than any driver uses for it.
  static let scattered: [HostileChain] = (1...12).flatMap { count in
    both("CVE-2022-2132, DPDK e31b57e732 \(count) descriptors of an octet") { good, _, way in
      (0..<count).map { (index: Int) -> Descriptor in
        let isLast = index + 1 == count
        return Descriptor(
          address: good + UInt64(index), length: 1, flags: isLast ? way : way | next, next: UInt16(index + 1))
      }
    }
  }

  private static func runt(_ name: String, _ direction: Direction, length: UInt32) -> HostileChain {
    let flags: UInt16 = direction == .receive ? write : 0
    return HostileChain(name: name, direction: direction) { good, _ in
      [Descriptor(address: good, length: length, flags: flags, next: 0)]
    }
  }

  private static func table(_ ram: GuestRAM, _ address: UInt64, _ entries: [Descriptor]) {
    for (index, entry) in entries.enumerated() {
      let slot = address + 16 * UInt64(index)
      ram.store(entry.address, at: slot)
      ram.store(entry.length, at: slot + 8)
      // The words that hold flags and next (split) or identifier and flags (packed) lie crosswise: both are written,
      // so that the table is as hostile in either format.
      ram.store(entry.flags, at: slot + 12)
      ram.store(entry.flags & indirect != 0 || entry.next == 0 ? entry.flags : entry.next, at: slot + 14)
    }
  }

  static let all = addresses + tables + loops + runts + scattered
}
