// SPDX-License-Identifier: Apache-2.0

public import Memory

/// What a packed ring needs to be resumed after the process that served it is gone, at whatever instruction.
///
/// The ring itself does not tell where its device stopped (virtio 1.3, 2.8), and QEMU remembers only the position of
/// the last orderly stop. Worse, giving a buffer back overwrites its descriptor: a process that ends halfway leaves
/// descriptors that are neither available nor used. So used entries are collected here, in memory that outlives the
/// process, and nothing is written to the ring until the whole batch is on record. Whoever comes next looks at the
/// batch's first descriptor, which is written last: either the batch has become visible, or it is written again.
///
/// Buffers are given back in order, hence one position is enough: what was taken but not given back is taken again.
///
///     offset  0  u16  1 = in use
///             2  u16  queue size
///             4  u32  low half: where the batch begins (PackedPosition); high half: entries of the batch that is being
///                     written to the ring, 0 if none is. One store changes both.
///             8  u64  address of the descriptor ring, the front-end's
///            16  entries of 8 bytes: u16 buffer id, u16 slots, u32 length
public struct RingJournal: Sendable {
  public static let byteCount = 16 + 8 * capacity
  /// Entries of one batch: all that a `ChainList` of the datapath holds, so that a frame is always in one batch.
  public static let capacity = 1024

  private let memory: SharedRegion

  /// `region`: `byteCount` bytes, aligned to 8.
  public init(over region: ByteRegion) {
    memory = SharedRegion(region)
  }

  /// Starts a journal for a ring at `position`.
  func open(size: UInt16, descriptorAddress: UInt64, position: PackedPosition) {
    memory.storeRelease16(0, at: 0)
    memory.store16(size, at: 2)
    memory.store64(descriptorAddress, at: 8)
    memory.store32(UInt32(position.rawValue), at: 4)
    memory.storeRelease16(1, at: 0)
  }

  /// The ring was stopped in order, or reset: there is nothing to resume.
  public func close() { memory.storeRelease16(0, at: 0) }

  @inline(__always)
  func record(_ entry: UsedEntry, at index: Int) {
    let offset = 16 &+ 8 &* index
    memory.store16(entry.id, at: offset)
    memory.store16(entry.slots, at: offset &+ 2)
    memory.store32(entry.length, at: offset &+ 4)
  }

  @inline(__always)
  func entry(at index: Int) -> UsedEntry {
    let offset = 16 &+ 8 &* index
    return UsedEntry(
      id: memory.load16(at: offset), slots: memory.load16(at: offset &+ 2), length: memory.load32(at: offset &+ 4))
  }

  /// From here on the batch is on record, and the ring may be written.
  @inline(__always)
  func willPublish(_ count: Int, from position: PackedPosition) {
    memory.storeRelease32(UInt32(position.rawValue) | UInt32(truncatingIfNeeded: count) &<< 16, at: 4)
  }

  /// The batch is visible.
  @inline(__always)
  func didPublish(upTo position: PackedPosition) { memory.storeRelease32(UInt32(position.rawValue), at: 4) }

  /// What the process before us left, if this journal is of a ring of that size at that address.
  func left(size: UInt16, descriptorAddress: UInt64) -> (position: PackedPosition, count: Int)? {
    guard memory.loadAcquire16(at: 0) == 1, memory.load16(at: 2) == size, memory.load64(at: 8) == descriptorAddress
    else { return nil }
    let word = memory.load32(at: 4)
    let position = PackedPosition(rawValue: UInt16(truncatingIfNeeded: word))
    let count = Int(word >> 16)
    guard position.index < size, count <= Self.capacity else { return nil }
    var slots = 0
    for index in 0..<count { slots += Int(entry(at: index).slots) }
    return slots <= Int(size) ? (position, count) : nil
  }
}
