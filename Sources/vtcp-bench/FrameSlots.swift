// SPDX-License-Identifier: Apache-2.0

import Memory
import Virtio

/// The frame buffers of one virtqueue, one for each descriptor of the ring, and how a chain of them looks to the device.
///
/// A buffer is contiguous here. Shown to the device as *pages*, it is what a Linux guest makes of a socket buffer: a
/// first descriptor with the virtio header and the frame's first 128 bytes, then one for each page of 4 KiB, up to 17,
/// in an indirect table. Shown as *one*, it is a single descriptor.
struct FrameSlots {
  /// Header and linear part of a socket buffer.
  static let linear = 12 + 128
  private static let pageSize = 4096
  private static let pages = 17
  private static let tableBytes = 512
  /// Bytes of the longest frame with its virtio header: 64 KiB of payload, and what lies before it.
  static let longest = linear + pages * pageSize

  /// Bytes of a frame of an interface without segmentation, with its virtio header and a VLAN tag.
  static func length(mtu: Int) -> Int { 12 + 18 + mtu }

  enum Shape {
    /// Up to so many bytes in one descriptor.
    case one(Int)
    /// `longest`: pages behind a linear part.
    case pages
  }

  let isWritable: Bool
  let capacity: Int
  private let buffers: SharedArea.Part
  private let stride: Int
  private let start: Int
  /// One indirect table for each slot.
  private let tables: SharedArea.Part?

  static func byteCount(_ shape: Shape, count: Int) -> Int {
    SharedArea.rounded(count * stride(shape)) + SharedArea.rounded(count * tableBytes)
  }

  private static func stride(_ shape: Shape) -> Int {
    switch shape {
    case .one(let bytes): (bytes + 63) / 64 * 64
    case .pages: (pages + 1) * pageSize
    }
  }

  init(_ shape: Shape, count: Int, isWritable: Bool, in area: SharedArea) throws {
    self.isWritable = isWritable
    stride = Self.stride(shape)
    buffers = try area.take(count * stride)
    switch shape {
    case .one(let bytes):
      capacity = bytes
      start = 0
      tables = nil
    case .pages:
      capacity = Self.longest
      // The linear part ends where the first page begins.
      start = Self.pageSize - Self.linear
      tables = try area.take(count * Self.tableBytes)
    }
  }

  @inline(__always)
  func buffer(_ slot: Int) -> ByteRegion {
    buffers.memory.slice(from: slot &* stride &+ start, count: capacity)
  }

  /// Makes `count` bytes of a slot available.
  @inline(__always)
  func offer(_ slot: Int, count: Int, to ring: inout DriverQueue) {
    let direction = isWritable ? DriverQueue.write : 0
    let address = buffers.address &+ UInt64(slot &* stride &+ start)
    guard let tables, count > Self.linear else {
      return ring.offer(slot: slot, address: address, length: count, flags: direction)
    }
    let offset = slot &* Self.tableBytes
    let entries = writeTable(
      tables.memory.slice(from: offset, count: Self.tableBytes), address: address, count: count,
      flags: direction | (ring.format == .split ? DriverQueue.next : 0))
    ring.offer(
      slot: slot, address: tables.address &+ UInt64(offset), length: 16 &* entries, flags: DriverQueue.indirect)
  }

  /// Returns the number of entries. In a packed ring's table entries follow each other by themselves.
  @inline(__always)
  private func writeTable(_ table: ByteRegion, address: UInt64, count: Int, flags: UInt16) -> Int {
    var address = address
    var left = count
    var length = Self.linear
    var index = 0
    while left > 0 {
      let part = min(length, left)
      let isLast = part == left
      table.store(address, at: 16 &* index)
      let next = UInt64(UInt16(truncatingIfNeeded: index &+ 1)) << 48
      let word = UInt64(UInt32(truncatingIfNeeded: part))
      switch flags & DriverQueue.next {
      case 0: table.store(word | UInt64(flags) << 48, at: 16 &* index &+ 8)
      default:
        let shown = isLast ? flags & ~DriverQueue.next : flags
        table.store(word | UInt64(shown) << 32 | (isLast ? 0 : next), at: 16 &* index &+ 8)
      }
      address &+= UInt64(part)
      left &-= part
      length = Self.pageSize
      index &+= 1
    }
    return index
  }
}
