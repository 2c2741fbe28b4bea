// SPDX-License-Identifier: Apache-2.0

/// A range of this process's memory: a base and a count, nothing owned.
///
/// The one way in which the rest of the house touches raw memory. Every access is checked against `count`; a failure
/// is a defect of ours (peers' numbers are checked before they get here) and stops the program rather than letting it
/// write elsewhere. Loads need no alignment.
///
/// It says nothing of *who else* writes the memory: live guest memory is read through `GuestMemory` and copied first.
public struct ByteRegion: @unchecked Sendable {
  public let base: UnsafeMutableRawPointer
  public let count: Int

  @inlinable
  public init(base: UnsafeMutableRawPointer, count: Int) {
    self.base = base
    self.count = count
  }

  /// Whether the first byte's address is a multiple of `alignment`.
  public func isAligned(to alignment: Int) -> Bool { Int(bitPattern: base) % alignment == 0 }

  /// New zeroed memory; `deallocate` gives it back. For buffers that live as long as the program, made at start.
  public static func allocate(count: Int, alignment: Int = 64) -> ByteRegion {
    let base = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1), alignment: alignment)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: count)
    return ByteRegion(base: base, count: count)
  }

  /// The same without zeroes: nobody may be shown what was not written before. What is large takes memory as it is used, and not now.
  public static func reserve(count: Int) -> ByteRegion {
    ByteRegion(base: .allocate(byteCount: max(count, 1), alignment: 16), count: count)
  }

  public func deallocate() {
    base.deallocate()
  }

  /// SAFETY: the one bounds check; `offset` and `size` are compared without overflow.
  @inlinable @inline(__always)
  func check(_ offset: Int, _ size: Int) {
    precondition(offset >= 0 && size >= 0 && offset <= count && size <= count &- offset, "out of bounds")
  }

  /// `length` bytes from `offset` on.
  @inlinable
  public func slice(from offset: Int, count length: Int) -> ByteRegion {
    check(offset, length)
    return ByteRegion(base: base + offset, count: length)
  }

  /// All bytes from `offset` on.
  @inlinable
  public func suffix(from offset: Int) -> ByteRegion {
    slice(from: offset, count: count &- offset)
  }

  /// A value in host byte order.
  @inlinable
  public func load<T: BitwiseCopyable>(_: T.Type = T.self, at offset: Int) -> T {
    check(offset, MemoryLayout<T>.size)
    return base.loadUnaligned(fromByteOffset: offset, as: T.self)
  }

  @inlinable
  public func store<T: BitwiseCopyable>(_ value: T, at offset: Int) {
    check(offset, MemoryLayout<T>.size)
    base.storeBytes(of: value, toByteOffset: offset, as: T.self)
  }

  /// An integer in network byte order.
  @inlinable
  public func networkOrder<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type = T.self, at offset: Int) -> T {
    T(bigEndian: load(T.self, at: offset))
  }

  @inlinable
  public func storeNetworkOrder<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) {
    store(value.bigEndian, at: offset)
  }

  /// Copies all of `source` to `offset`. The two may overlap.
  @inlinable
  public func copy(from source: ByteRegion, at offset: Int = 0) {
    check(offset, source.count)
    #if VTCP_READ_PROBE
      ReadProbe.willRead(source.base, source.count, isLoad: false)
    #endif
    (base + offset).copyMemory(from: source.base, byteCount: source.count)
  }

  public func fill(with byte: UInt8) {
    base.initializeMemory(as: UInt8.self, repeating: byte, count: count)
  }

  /// The bytes, copied. For tests and cold paths: it allocates.
  public var bytes: [UInt8] { [UInt8](UnsafeRawBufferPointer(start: base, count: count)) }

  public func copy(from source: [UInt8], at offset: Int = 0) {
    check(offset, source.count)
    source.withUnsafeBytes { bytes in
      if let start = bytes.baseAddress { (base + offset).copyMemory(from: start, byteCount: bytes.count) }
    }
  }
}
