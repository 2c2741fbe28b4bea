// SPDX-License-Identifier: Apache-2.0

import Memory

@testable import Virtio

/// What the specification says of one descriptor chain, in the plainest form: no table, no fast path, byte by byte
/// where that is simplest. Written from virtio 1.3, 2.7.5, 2.7.5.3, 2.8.6 and 2.8.7.
struct RingModel {
  /// One descriptor of either format; `next` means something in a split ring only.
  struct Descriptor: Equatable {
    var flags: UInt16
    var next: Int = 0
    var address: UInt64
    var length: UInt32
  }

  /// A chain as the device must see it.
  struct Chain: Equatable {
    var slots = 0
    /// Nil: the chain breaks a rule.
    var buffers: [BufferRange]? = []

    mutating func refuse() { buffers = nil }
  }

  /// The guest's memory: its regions' addresses, in no order.
  let regions: [Range<UInt64>]
  let format: RingFormat
  let isWritable: Bool
  /// The indirect tables, by address.
  let tables: [UInt64: [Descriptor]]

  /// A buffer in as many pieces as it crosses regions; nil if a byte of it is not there.
  func pieces(_ address: UInt64, _ length: UInt32) -> [BufferRange]? {
    var result: [BufferRange] = []
    var rest = UInt64(length)
    var place = address
    guard !address.addingReportingOverflow(rest).overflow else { return nil }
    while rest > 0 {
      guard let region = regions.first(where: { $0.contains(place) }) else { return nil }
      let count = min(rest, region.upperBound - place)
      result.append(BufferRange(place, Int(count)))
      rest -= count
      place += count
    }
    return result
  }

  private func add(_ descriptor: Descriptor, to chain: inout Chain) {
    guard let buffers = chain.buffers else { return }
    guard (descriptor.flags & RingBed.write != 0) == isWritable,
      let more = pieces(descriptor.address, descriptor.length)
    else { return chain.refuse() }
    chain.buffers = buffers + more
  }

  /// 2.7.5.3.1, 2.8.7: a table holds no table, its length is that of whole descriptors, and it lies in memory whole.
  private func addTable(_ descriptor: Descriptor, to chain: inout Chain) {
    guard chain.buffers != nil else { return }
    guard descriptor.length > 0, descriptor.length % 16 == 0,
      let table = pieces(descriptor.address, descriptor.length), table.count == 1,
      let entries = tables[descriptor.address]?.prefix(Int(descriptor.length / 16)),
      entries.count == Int(descriptor.length / 16)
    else { return chain.refuse() }
    var index = 0
    for step in 0..<entries.count {
      let entry = entries[format == .split ? index : step]
      guard entry.flags & RingBed.indirect == 0 else { return chain.refuse() }
      // A deviation: what a driver sends is read, however an entry of its packed table is marked.
      let isMarkPassedOver = format == .packed && !isWritable
      let flags = isMarkPassedOver ? entry.flags & ~RingBed.write : entry.flags
      add(Descriptor(flags: flags, next: entry.next, address: entry.address, length: entry.length), to: &chain)
      guard format == .split, chain.buffers != nil else { continue }
      guard entry.flags & RingBed.next != 0 else { return }
      index = entry.next
      guard index < entries.count else { return chain.refuse() }
    }
    // A split chain that has not ended after so many entries goes in a circle.
    if format == .split { chain.refuse() }
  }

  /// The chain in a split ring from `head`, which is an index of `ring`.
  func splitChain(_ ring: [Descriptor], from head: Int) -> Chain {
    var chain = Chain(slots: 1)
    var index = head
    for _ in ring {
      let descriptor = ring[index]
      if descriptor.flags & RingBed.indirect != 0 {
        if descriptor.flags & RingBed.next != 0 { chain.refuse() } else { addTable(descriptor, to: &chain) }
        return chain
      }
      add(descriptor, to: &chain)
      guard chain.buffers != nil, descriptor.flags & RingBed.next != 0 else { return chain }
      guard descriptor.next < ring.count else {
        chain.refuse()
        return chain
      }
      index = descriptor.next
    }
    chain.refuse()
    return chain
  }

  /// All chains that are available in a packed ring from `start` on, and whether the last one has no end.
  func packedChains(_ ring: [Descriptor], from start: Int, wrap startWrap: Bool) -> (chains: [Chain], isEndless: Bool) {
    var chains: [Chain] = []
    var (index, wrap) = (start, startWrap)
    while (ring[index].flags & 0x80 != 0) == wrap, (ring[index].flags & 0x8000 != 0) != wrap {
      var chain = Chain()
      var goesOn = true
      while goesOn {
        guard chain.slots < ring.count else { return (chains, true) }
        let descriptor = ring[index]
        chain.slots += 1
        index += 1
        if index == ring.count { (index, wrap) = (0, !wrap) }
        goesOn = descriptor.flags & RingBed.next != 0
        if descriptor.flags & RingBed.indirect == 0 {
          add(descriptor, to: &chain)
        } else if goesOn {
          chain.refuse()
        } else {
          addTable(descriptor, to: &chain)
        }
      }
      chains.append(chain)
    }
    return (chains, false)
  }
}
