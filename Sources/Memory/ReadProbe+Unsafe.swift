// SPDX-License-Identifier: Apache-2.0

#if VTCP_READ_PROBE
  public import CLinux

  /// In builds for debugging and fuzzing only: somebody is told of each read of memory that a peer may write meanwhile,
  /// right before it happens.
  ///
  /// So a test can change that memory between any two reads, at the same place every time, and sees what was read. A
  /// second thread that flips bits does neither. Release builds have nothing of it.
  public enum ReadProbe {
    /// Address and count of the bytes that are about to be read, and whether by one atomic load of a `SharedRegion` or
    /// by a copy. It is called on whatever thread reads.
    public typealias Handler = @convention(c) (UnsafeRawPointer, Int, Bool) -> Void

    /// The handler's address; 0: none. Accessed atomically: other threads read while one installs.
    @usableFromInline static let slot: SharedRegion = {
      SharedRegion(ByteRegion.allocate(count: 8))
    }()

    /// For the rest of the process's life.
    public static func install(_ handler: Handler) {
      vtcp_store_relaxed_u64(slot.base, UInt64(UInt(bitPattern: unsafeBitCast(handler, to: UnsafeRawPointer.self))))
    }

    /// SAFETY: the slot holds 0 or the address of a `Handler`, which is code and stays.
    @inlinable
    static func willRead(_ address: UnsafeRawPointer, _ count: Int, isLoad: Bool) {
      guard let code = UnsafeRawPointer(bitPattern: UInt(vtcp_load_relaxed_u64(slot.base))) else { return }
      unsafeBitCast(code, to: Handler.self)(address, count, isLoad)
    }
  }
#endif
