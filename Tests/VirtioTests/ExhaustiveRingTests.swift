// SPDX-License-Identifier: Apache-2.0

import Memory
import Testing

@testable import Virtio

/// Classes of address and length, of flags, of `next` and of indices, in every combination that a small ring holds,
/// against `RingModel`. (CVE-2026-86847, CVE-2026-86846, qemu#3984, qemu#2149, DPDK 6ec1778134 are single points in it.)
@Suite("Small rings: everything that can stand in them, against a plain model of the specification")
struct ExhaustiveRingTests {
  typealias Descriptor = RingModel.Descriptor

  private static let start = RingBed.guestAddress
  private static let border = RingBed.guestAddress + UInt64(RingBed.byteCount)
  private static let end = border + 4096
  private static let table = start + UInt64(RingBed.tableOffset)
  private static let data = start + UInt64(RingBed.dataOffset)

  /// An address and a length each.
  private static let places: [(UInt64, UInt32)] = [
    (data, 10), (data, 0), (data, .max),
    // Over the border of two regions that adjoin for the guest and not for us, and over the end of all.
    (border - 8, 16), (end - 8, 8), (end - 8, 9), (end, 1),
    // CVE-2018-1059, CVE-2020-10725: nowhere, by 0 octets and more, and round the end of all addresses.
    (0xdead_0000_0000, 0), (0xdead_0000_0000, 1), (.max, 1), (.max - 15, 16), (.max, .max),
    // A table of two, one that is no whole number of entries, one that crosses the border.
    (table, 32), (table, 31), (border - 16, 32),
  ]
  private static let tableEntries = [Descriptor(flags: 0, address: data, length: 3)]

  private final class Bed {
    let ring: RingBed
    let more: ByteRegion
    var list = ChainList(chains: 16, vectors: 0)

    init(_ format: RingFormat, size: Int) throws {
      ring = try RingBed(format, size: size)
      more = .allocate(count: 4096, alignment: 4096)
      let region = GuestRegion(guestAddress: border, userAddress: 0x7000_0000, mapping: more)
      ring.guest.add(try region.orThrow())
    }

    deinit {
      more.deallocate()
      list.deallocate()
    }

    func model(isWritable: Bool, tables: [UInt64: [Descriptor]] = [:]) -> RingModel {
      RingModel(regions: [start..<border, border..<end], format: ring.format, isWritable: isWritable, tables: tables)
    }

    func write(_ index: Int, _ descriptor: Descriptor, offset: Int = 0) {
      let length = Int(descriptor.length)
      switch ring.format {
      case .split:
        ring.writeSplit(
          index, descriptor.address, length, descriptor.flags, next: descriptor.next, offset: offset)
      case .packed:
        ring.writePacked(index, descriptor.address, length, descriptor.flags, id: 20 + index, offset: offset)
      }
    }

    /// Whether the chain at `index` of the list is as the model has it.
    func agrees(_ index: Int, _ expected: RingModel.Chain) -> Bool {
      let chain = list.chains[list.first + index]
      guard chain.isSound == (expected.buffers != nil), Int(chain.slots) == expected.slots else { return false }
      let buffers = (0..<Int(chain.vectorCount)).compactMap { place -> BufferRange? in
        guard let region = list.vectors[Int(chain.firstVector) + place].region else { return nil }
        let inMore = region.base >= more.base && region.base < more.base + more.count
        let address = inMore ? border + UInt64(region.base - more.base) : start + UInt64(region.base - ring.memory.base)
        return BufferRange(address, region.count)
      }
      return buffers == expected.buffers ?? []
        && chain.byteCount == (expected.buffers ?? []).reduce(0) { $0 + $1.length }
    }
  }

  /// Every choice for one descriptor of a split ring: `next` in and out of it, where it counts.
  private static func splitChoices(_ size: Int) -> [Descriptor] {
    places.flatMap { place in
      (0..<8 as Range<UInt16>).flatMap { flags in
        (flags & RingBed.next != 0 ? Array(0...size) + [0xffff] : [0]).map {
          Descriptor(flags: flags, next: $0, address: place.0, length: place.1)
        }
      }
    }
  }

  @Test("A split ring of two: every flag, next, address and length", arguments: [false, true])
  func splitOfTwo(isWritable: Bool) throws {
    let bed = try Bed(.split, size: 2)
    // The table that a descriptor may refer to ends at once.
    let tableFlags: UInt16 = isWritable ? RingBed.write : 0
    let entries = [0, 1].map { Descriptor(flags: tableFlags, address: Self.data + UInt64($0), length: 5) }
    for (index, entry) in entries.enumerated() { bed.write(index, entry, offset: RingBed.tableOffset) }
    let model = bed.model(isWritable: isWritable, tables: [Self.table: entries])
    let queue = try bed.ring.startedQueue(isWritable ? .deviceWritable : .deviceReadable)
    bed.ring.makeAvailable([0, 1])
    let choices = Self.splitChoices(2)
    var wrong: [String] = []
    for first in choices {
      bed.write(0, first)
      for second in choices {
        bed.write(1, second)
        guard queue.pop(limit: 4, into: &bed.list) == 2, queue.fault == nil else {
          wrong.append("\(first) \(second)")
          continue
        }
        for head in 0..<2 where !bed.agrees(head, model.splitChain([first, second], from: head)) {
          wrong.append("\(first) \(second) head \(head)")
        }
        queue.rewind(&bed.list)
      }
    }
    #expect(wrong.isEmpty, "\(wrong.count), first \(wrong.first ?? "")")
  }

  @Test(
    "An indirect table of two, split and packed: every flag, next, address and length",
    arguments: [
      RingFormat.split, .packed,
    ], [false, true])
  func tableOfTwo(format: RingFormat, isWritable: Bool) throws {
    let bed = try Bed(format, size: 2)
    let queue = try bed.ring.startedQueue(isWritable ? .deviceWritable : .deviceReadable)
    let head = Descriptor(
      flags: RingBed.indirect | (format == .packed ? 0x80 : 0), address: Self.table, length: 32)
    bed.write(0, head)
    if format == .split { bed.ring.makeAvailable([0]) }
    let choices = Self.splitChoices(2)
    var wrong: [String] = []
    for first in choices {
      bed.write(0, first, offset: RingBed.tableOffset)
      for second in choices {
        bed.write(1, second, offset: RingBed.tableOffset)
        let model = bed.model(isWritable: isWritable, tables: [Self.table: [first, second]])
        let other = Descriptor(flags: 0, address: 0, length: 0)
        let expected =
          format == .split
          ? model.splitChain([head, other], from: 0)
          : model.packedChains([head, other], from: 0, wrap: true).chains[0]
        if queue.pop(limit: 4, into: &bed.list) != 1 || !bed.agrees(0, expected) { wrong.append("\(first) \(second)") }
        queue.rewind(&bed.list)
      }
    }
    #expect(wrong.isEmpty, "\(wrong.count), first \(wrong.first ?? "")")
  }

  @Test(
    "A packed ring of one to three: every flag, address and length, from each position",
    arguments: 1...3, [false, true])
  func packed(size: Int, isWritable: Bool) throws {
    let bed = try Bed(.packed, size: size)
    let tableFlags: UInt16 = isWritable ? RingBed.write : 0
    let entries = [0, 1].map { Descriptor(flags: tableFlags, address: Self.data + UInt64($0), length: 5) }
    for (index, entry) in entries.enumerated() { bed.write(index, entry, offset: RingBed.tableOffset) }
    let model = bed.model(isWritable: isWritable, tables: [Self.table: entries])
    let choices = Self.places.flatMap { place in
      (0..<32 as Range<UInt16>).map { bits in
        Descriptor(flags: bits & 7 | (bits & 8) << 4 | (bits & 16) << 11, address: place.0, length: place.1)
      }
    }
    let queue = Virtqueue(
      direction: isWritable ? .deviceWritable : .deviceReadable, memory: bed.ring.guest, journal: bed.ring.journal)
    let total = (0..<size).reduce(1) { count, _ in count * choices.count }
    // All of one descriptor; of more a part that meets all pairs: the step has no factor in common with their number.
    let step = [1, 1, 7, 4001][size]
    var wrong: [String] = []
    for number in stride(from: 0, to: total, by: step) {
      var rest = number
      let ring = (0..<size).map { index -> Descriptor in
        let choice = choices[rest % choices.count]
        rest /= choices.count
        bed.write(index, choice)
        return choice
      }
      let position = PackedPosition(index: UInt16(number / step % size), wrap: number / step / size % 2 == 0)
      bed.ring.journal.close()
      queue.start(try bed.ring.setup(base: UInt32(position.rawValue) | UInt32(position.rawValue) << 16))
      let expected = model.packedChains(ring, from: Int(position.index), wrap: position.wrap)
      var popped = 0
      // One more than there can be: a walk without end would be seen.
      for _ in 0...(2 * size) { popped += queue.pop(limit: 1, into: &bed.list) }
      if popped != expected.chains.count || (queue.fault == .endlessChain) != expected.isEndless
        || !expected.chains.indices.allSatisfy({ bed.agrees($0, expected.chains[$0]) })
      {
        wrong.append("\(ring) from \(position)")
      }
      bed.list.removeAll()
    }
    #expect(wrong.isEmpty, "\(wrong.count), first \(wrong.first ?? "")")
  }

  @Test(
    "Available indices and heads of a split ring, every one that matters, from every base (CVE-2026-86846)",
    arguments: [2, 4, 8])
  func indices(size: Int) throws {
    let bed = try Bed(.split, size: size)
    for index in 0..<size { bed.write(index, Descriptor(flags: 0, address: Self.data, length: 1)) }
    let queue = Virtqueue(direction: .deviceReadable, memory: bed.ring.guest, journal: bed.ring.journal)
    let heads = Array(0...size) + [0x7fff, 0x8000, 0xffff]
    var wrong = 0
    for base in [0, 1, size - 1, size, 0x7fff, 0x8000, 0xfffe, 0xffff] {
      for ahead in Array(-2...(size + 2)) + [0x7fff, 0x8000] {
        for bad in 0..<size {
          for head in heads {
            for place in 0..<size {
              let value = place == bad ? head : place
              bed.ring.memory.store(UInt16(value), at: RingBed.driverOffset + 4 + 2 * place)
            }
            bed.ring.memory.store(UInt16(truncatingIfNeeded: base + ahead), at: RingBed.driverOffset + 2)
            // The ring can be there: elsewhere it would start behind what was given back.
            bed.ring.memory.store(UInt16(base), at: RingBed.deviceOffset + 2)
            queue.start(try bed.ring.setup(base: UInt32(base)))
            var expected: [Int] = []
            var fault: QueueFault?
            if ahead < 0 || ahead > size {
              fault = .availableIndexJump
            } else {
              for step in 0..<ahead where fault == nil {
                let place = (base + step) % 65536 % size
                let value = place == bad ? head : place
                if value < size { expected.append(value) } else { fault = .headOutOfRange }
              }
            }
            _ = queue.pop(limit: 64, into: &bed.list)
            let popped = (0..<bed.list.count).map { Int(bed.list.chains[bed.list.first + $0].id) }
            if queue.fault != fault || popped != expected { wrong += 1 }
            bed.list.removeAll()
          }
        }
      }
    }
    #expect(wrong == 0)
  }
}
