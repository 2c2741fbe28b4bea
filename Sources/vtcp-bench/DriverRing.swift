// SPDX-License-Identifier: Apache-2.0

import Memory
import Virtio

/// The driver's side of one virtqueue in plain memory, for the thread that also runs the device.
///
/// Its buffers are in the ring once and for all, and are made available round after round in the same order.
final class DriverRing {
  static let size = 256
  /// Bytes of guest memory for the ring, its tables and its buffers.
  static func byteCount(bufferBytes: Int) -> Int { ringBytes + size * bufferBytes }

  private static let ringBytes = 16384
  private static let driverOffset = 8192
  private static let deviceOffset = 9216
  private static let writeFlag: UInt16 = 2
  private static let header = 12
  private static let pageBytes = 4096

  let format: RingFormat
  let shape: ChainShape
  let isWritable: Bool
  let chainCount: Int
  private let memory: ByteRegion
  private let guestAddress: UInt64
  private let bufferBytes: Int
  /// Bytes of a chain: the buffer less the place of an indirect table, or what is to be transmitted of it.
  private let length: Int
  /// Of an indirect table at the buffer's end.
  private let tableBytes: Int
  /// Chains made available, and seen used.
  private var posted = 0
  private var collected = 0
  /// Packed: the next descriptor to write and the next used one to look at, and their wrap counters.
  private var next = (index: 0, wrap: true)
  private var nextUsed = (index: 0, wrap: true)

  /// `memory` is all zero and lies at `guestAddress` for the device.
  init(
    format: RingFormat, shape: ChainShape, isWritable: Bool, memory: ByteRegion, guestAddress: UInt64, bufferBytes: Int,
    length: Int?
  ) {
    self.format = format
    self.shape = shape
    self.isWritable = isWritable
    self.memory = memory
    self.guestAddress = guestAddress
    self.bufferBytes = bufferBytes
    tableBytes = 16 * (1 + ((length ?? bufferBytes) + Self.pageBytes - 1) / Self.pageBytes)
    self.length = length ?? bufferBytes - tableBytes
    chainCount = Self.size / shape.slots
    guard format == .split else { return }
    for chain in 0..<chainCount {
      writeChain(chain, at: chain * shape.slots, extraFlags: 0)
    }
  }

  func buffer(_ chain: Int) -> ByteRegion {
    memory.slice(from: Self.ringBytes + chain * bufferBytes, count: bufferBytes)
  }

  /// Where the ring is, for the device.
  func setup(in guest: GuestMemory) throws -> QueueSetup {
    guard
      let areas = RingAreas(
        format: format, size: Self.size, descriptorAddress: guestAddress,
        driverAddress: guestAddress + UInt64(Self.driverOffset),
        deviceAddress: guestAddress + UInt64(Self.deviceOffset),
        memory: guest)
    else { throw BenchError("the ring's areas do not lie in guest memory") }
    return QueueSetup(
      format: format, size: UInt16(Self.size), areas: areas, descriptorAddress: guestAddress, eventIndex: false,
      notifyOnEmpty: false, base: format == .packed ? 0x8000_8000 : 0)
  }

  /// Whether the device is to notify. It is at first.
  func wantNotifications(_ wanted: Bool) {
    switch format {
    case .split: memory.store(UInt16(wanted ? 0 : 1), at: Self.driverOffset)
    case .packed: memory.store(UInt16(wanted ? 0 : 1), at: Self.driverOffset + 2)
    }
  }

  /// Makes the next `count` chains available.
  func post(_ count: Int) {
    for _ in 0..<count {
      let chain = posted % chainCount
      posted += 1
      switch format {
      case .split:
        let place = (posted - 1) % Self.size
        memory.store(UInt16(chain * shape.slots), at: Self.driverOffset + 4 + 2 * place)
      case .packed: postPacked(chain)
      }
    }
    if format == .split { memory.store(UInt16(truncatingIfNeeded: posted), at: Self.driverOffset + 2) }
  }

  /// Takes what the device gave back; returns how many chains.
  func collect() -> Int {
    let before = collected
    switch format {
    case .split:
      let used: UInt16 = memory.load(at: Self.deviceOffset + 2)
      collected += Int(used &- UInt16(truncatingIfNeeded: collected))
    case .packed:
      while collected < posted {
        let flags: UInt16 = memory.load(at: 16 * nextUsed.index + 14)
        guard (flags & 0x8000 != 0) == nextUsed.wrap, (flags & 0x80 != 0) == nextUsed.wrap else { break }
        collected += 1
        nextUsed = advanced(nextUsed)
      }
    }
    return collected - before
  }

  private func postPacked(_ chain: Int) {
    writeChain(chain, at: next.index, extraFlags: next.wrap ? 0x80 : 0x8000)
    next = advanced(next)
  }

  /// A ring holds a whole number of chains, so that none wraps within.
  private func advanced(_ position: (index: Int, wrap: Bool)) -> (index: Int, wrap: Bool) {
    let index = position.index + shape.slots
    return index == Self.size ? (0, !position.wrap) : (index, position.wrap)
  }

  private func writeChain(_ chain: Int, at index: Int, extraFlags: UInt16) {
    let address = guestAddress + UInt64(Self.ringBytes + chain * bufferBytes)
    let direction = isWritable ? Self.writeFlag : 0
    switch shape {
    case .single:
      write(address, length, direction | extraFlags, chain, next: 0, at: 16 * index)
    case .chained:
      write(address, Self.header, direction | 1 | extraFlags, chain, next: index + 1, at: 16 * index)
      write(
        address + UInt64(Self.header), length - Self.header, direction | extraFlags, chain, next: 0,
        at: 16 * (index + 1))
    case .indirect:
      // The table lies at the buffer's end.
      let table = Self.ringBytes + (chain + 1) * bufferBytes - tableBytes
      let entries = writeTable(at: table, of: address, direction)
      write(guestAddress + UInt64(table), 16 * entries, 4 | extraFlags, chain, next: 0, at: 16 * index)
    }
  }

  /// Returns how many entries there are.
  private func writeTable(at table: Int, of address: UInt64, _ direction: UInt16) -> Int {
    let link: UInt16 = format == .split ? 1 : 0
    write(address, Self.header, direction | link, 0, next: 1, at: table)
    var done = Self.header
    var entry = 1
    while done < length {
      let count = min(Self.pageBytes, length - done)
      let flags = direction | (done + count < length ? link : 0)
      write(address + UInt64(done), count, flags, 0, next: entry + 1, at: table + 16 * entry)
      done += count
      entry += 1
    }
    return entry
  }

  /// One descriptor: address, length and then flags and next (split) or buffer id and flags (packed).
  private func write(_ address: UInt64, _ length: Int, _ flags: UInt16, _ id: Int, next: Int, at offset: Int) {
    memory.store(address, at: offset)
    memory.store(UInt32(length), at: offset + 8)
    memory.store(format == .split ? flags : UInt16(id), at: offset + 12)
    memory.store(format == .split ? UInt16(next) : flags, at: offset + 14)
  }
}
