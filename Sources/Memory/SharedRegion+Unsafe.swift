// SPDX-License-Identifier: Apache-2.0

public import CLinux

/// Memory that someone else writes while we read it: a virtqueue's areas, which the driver owns together with us.
///
/// Every access is one load or one store that the compiler neither repeats nor splits, so that what was checked is
/// what is used. Bounds are checked as in `ByteRegion`; values are little-endian, the host's order here.
public struct SharedRegion: @unchecked Sendable {
  @usableFromInline let base: UnsafeMutableRawPointer
  public let count: Int

  @inlinable
  public init(_ region: ByteRegion) {
    base = region.base
    count = region.count
  }

  /// SAFETY: the one bounds check of this type.
  @inlinable @inline(__always)
  func address(_ offset: Int, _ size: Int) -> UnsafeMutableRawPointer {
    precondition(offset >= 0 && offset <= count &- size, "out of bounds")
    return base + offset
  }

  /// The address of a value that is about to be loaded.
  @inlinable @inline(__always)
  func source(_ offset: Int, _ size: Int) -> UnsafeMutableRawPointer {
    let address = address(offset, size)
    #if VTCP_READ_PROBE
      ReadProbe.willRead(address, size, isLoad: true)
    #endif
    return address
  }

  /// What the writer stored before the value is visible after this load.
  @inlinable @inline(__always)
  public func loadAcquire16(at offset: Int) -> UInt16 { vtcp_load_acquire_u16(source(offset, 2)) }

  /// As `loadAcquire16`.
  @inlinable @inline(__always)
  public func loadAcquire32(at offset: Int) -> UInt32 { vtcp_load_acquire_u32(address(offset, 4)) }

  @inlinable @inline(__always)
  public func load16(at offset: Int) -> UInt16 { vtcp_load_relaxed_u16(source(offset, 2)) }

  @inlinable @inline(__always)
  public func load32(at offset: Int) -> UInt32 { vtcp_load_relaxed_u32(source(offset, 4)) }

  @inlinable @inline(__always)
  public func load64(at offset: Int) -> UInt64 { vtcp_load_relaxed_u64(source(offset, 8)) }

  /// What we stored before is visible to a reader that sees the value.
  @inlinable @inline(__always)
  public func storeRelease16(_ value: UInt16, at offset: Int) { vtcp_store_release_u16(address(offset, 2), value) }

  /// As `storeRelease16`.
  @inlinable @inline(__always)
  public func storeRelease32(_ value: UInt32, at offset: Int) { vtcp_store_release_u32(address(offset, 4), value) }

  @inlinable @inline(__always)
  public func store16(_ value: UInt16, at offset: Int) { vtcp_store_relaxed_u16(address(offset, 2), value) }

  @inlinable @inline(__always)
  public func store32(_ value: UInt32, at offset: Int) { vtcp_store_relaxed_u32(address(offset, 4), value) }

  @inlinable @inline(__always)
  public func store64(_ value: UInt64, at offset: Int) { vtcp_store_relaxed_u64(address(offset, 8), value) }

  /// Sets the bits of `bits` in a byte, and is a full fence.
  @inlinable @inline(__always)
  public func fetchOr8(_ bits: UInt8, at offset: Int) { vtcp_fetch_or_u8(address(offset, 1), bits) }

  @inlinable @inline(__always)
  public func prefetch(at offset: Int) { vtcp_prefetch(address(offset, 1)) }
}

/// Orders our stores before our next loads.
@inlinable @inline(__always)
public func fullFence() { vtcp_full_fence() }

/// Orders our stores, and loads, before our next stores.
@inlinable @inline(__always)
public func releaseFence() { vtcp_release_fence() }

/// Orders our loads before our next loads, and stores.
@inlinable @inline(__always)
public func acquireFence() { vtcp_acquire_fence() }

/// Keeps the compiler from moving accesses across: who finds the memory of a process that was killed between two stores finds the
/// first of them done, or both. Costs no instruction.
@inlinable @inline(__always)
public func keepOrder() { vtcp_keep_order() }

/// Tells the processor that this is a spin loop.
@inlinable @inline(__always)
public func spinPause() { vtcp_pause() }
