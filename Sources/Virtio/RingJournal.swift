// SPDX-License-Identifier: Apache-2.0

public import Memory

/// What a packed ring needs to be resumed after the process that served it is gone.
///
/// The ring itself does not tell where its device stopped (virtio 1.3, 2.8), and QEMU remembers only the position of
/// the last orderly stop. So each batch leaves a trace here, in memory that outlives the process: the position it
/// will lead to before it becomes visible, and the same position as the current one after. Whoever comes next looks
/// at the ring to see on which side of the moment of visibility the end came.
///
/// Buffers are given back in order, hence one position is enough: what was taken but not given back is taken again.
///
///     offset  0  u16  1 = in use
///             2  u16  queue size
///             4  u16  current position (PackedPosition)
///             6  u16  position after the batch under way
///             8  u64  address of the descriptor ring, the front-end's
public struct RingJournal: Sendable {
  public static let byteCount = 16

  private let memory: SharedRegion

  /// `region`: 16 bytes, aligned to 8.
  public init(over region: ByteRegion) {
    memory = SharedRegion(region)
  }

  /// Starts a journal for a ring at `position`.
  func open(size: UInt16, descriptorAddress: UInt64, position: PackedPosition) {
    memory.storeRelease16(0, at: 0)
    memory.store16(size, at: 2)
    memory.store64(descriptorAddress, at: 8)
    memory.store16(position.rawValue, at: 4)
    memory.store16(position.rawValue, at: 6)
    memory.storeRelease16(1, at: 0)
  }

  /// The ring was stopped in order, or reset: there is nothing to resume.
  public func close() { memory.storeRelease16(0, at: 0) }

  @inline(__always)
  func willPublish(upTo position: PackedPosition) { memory.storeRelease16(position.rawValue, at: 6) }

  @inline(__always)
  func didPublish(upTo position: PackedPosition) { memory.storeRelease16(position.rawValue, at: 4) }

  /// Where `ring` stopped, if this journal is of that very ring and the driver has not made the ring anew since.
  func position(in ring: PackedRing, descriptorAddress: UInt64) -> PackedPosition? {
    guard memory.loadAcquire16(at: 0) == 1, memory.load16(at: 2) == ring.size,
      memory.load64(at: 8) == descriptorAddress
    else { return nil }
    let current = PackedPosition(rawValue: memory.load16(at: 4))
    let next = PackedPosition(rawValue: memory.load16(at: 6))
    guard current.index < ring.size, next.index < ring.size, !ring.looksNew else { return nil }
    return ring.isUsed(at: current) ? next : current
  }
}
