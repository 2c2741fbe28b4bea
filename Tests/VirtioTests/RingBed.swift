// SPDX-License-Identifier: Apache-2.0

import Memory
@testable import Virtio

/// A ring in plain memory, written descriptor by descriptor as the specification has them.
final class RingBed {
  static let guestAddress: UInt64 = 0x4_0000
  static let driverOffset = 0x400
  static let deviceOffset = 0x600
  static let tableOffset = 0x800
  static let dataOffset = 0x1000
  static let byteCount = 0x3000

  static let next: UInt16 = 1
  static let write: UInt16 = 2
  static let indirect: UInt16 = 4

  let format: RingFormat
  let size: Int
  let memory: ByteRegion
  let journalMemory: ByteRegion
  let guest = GuestMemory()

  init(_ format: RingFormat, size: Int) throws {
    self.format = format
    self.size = size
    memory = .allocate(count: Self.byteCount, alignment: 4096)
    journalMemory = .allocate(count: RingJournal.byteCount)
    let region = GuestRegion(guestAddress: Self.guestAddress, userAddress: Self.guestAddress, mapping: memory)
    guest.add(try region.orThrow())
  }

  deinit {
    guest.deallocate()
    memory.deallocate()
    journalMemory.deallocate()
  }

  var journal: RingJournal { RingJournal(over: journalMemory) }

  /// Nothing is marked.
  var log: RingLog { RingLog(guest.log, descriptors: nil, device: nil) }

  func areas() throws -> RingAreas {
    try RingAreas(
      format: format, size: size, descriptorAddress: Self.guestAddress,
      driverAddress: Self.guestAddress + UInt64(Self.driverOffset),
      deviceAddress: Self.guestAddress + UInt64(Self.deviceOffset), memory: guest
    ).orThrow()
  }

  func setup(base: UInt32? = nil, eventIndex: Bool = false) throws -> QueueSetup {
    QueueSetup(
      format: format, size: UInt16(size), areas: try areas(), descriptorAddress: Self.guestAddress,
      eventIndex: eventIndex, notifyOnEmpty: false, base: base ?? (format == .packed ? 0x8000_8000 : 0))
  }

  func startedQueue(_ direction: BufferDirection = .deviceReadable, base: UInt32? = nil) throws -> Virtqueue {
    let queue = Virtqueue(direction: direction, memory: guest, journal: journal)
    queue.start(try setup(base: base))
    return queue
  }

  /// A split ring's descriptor, or an entry of an indirect table at `offset` of either format.
  func writeSplit(_ index: Int, _ address: UInt64, _ length: Int, _ flags: UInt16, next: Int, offset: Int = 0) {
    memory.store(address, at: offset + 16 * index)
    memory.store(UInt32(length), at: offset + 16 * index + 8)
    memory.store(flags, at: offset + 16 * index + 12)
    memory.store(UInt16(next), at: offset + 16 * index + 14)
  }

  /// A packed ring's descriptor, flags last.
  func writePacked(_ index: Int, _ address: UInt64, _ length: Int, _ flags: UInt16, id: Int, offset: Int = 0) {
    memory.store(address, at: offset + 16 * index)
    memory.store(UInt32(length), at: offset + 16 * index + 8)
    memory.store(UInt16(id), at: offset + 16 * index + 12)
    memory.store(flags, at: offset + 16 * index + 14)
  }

  /// Makes `heads` available from the ring's start.
  func makeAvailable(_ heads: [Int]) {
    for (place, head) in heads.enumerated() { memory.store(UInt16(head), at: Self.driverOffset + 4 + 2 * place) }
    memory.store(UInt16(heads.count), at: Self.driverOffset + 2)
  }

  /// The address and length of each of a chain's vectors, as the guest sees them.
  func vectors(of chain: DescriptorChain, in list: ChainList) -> [BufferRange] {
    (0..<Int(chain.vectorCount)).compactMap { index in
      guard let region = list.vectors[Int(chain.firstVector) + index].region else { return nil }
      return BufferRange(Self.guestAddress + UInt64(region.base - memory.base), region.count)
    }
  }
}

/// Guest memory by address and length.
struct BufferRange: Equatable {
  let address: UInt64
  let length: Int

  init(_ address: UInt64, _ length: Int) {
    self.address = address
    self.length = length
  }
}

/// What a test needs is not there.
struct Missing: Error {}

extension Optional {
  func orThrow() throws -> Wrapped {
    guard let self else { throw Missing() }
    return self
  }
}
