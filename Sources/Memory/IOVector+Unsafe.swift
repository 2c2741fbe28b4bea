// SPDX-License-Identifier: Apache-2.0

public import CLinux

/// A range of memory in a scatter or gather list: the layout of the kernel's `struct iovec`.
public typealias IOVector = vtcp_io_vector

extension IOVector {
  @inlinable
  public init(_ region: ByteRegion) {
    self.init(base: region.base, length: region.count)
  }

  /// No memory.
  public static var none: IOVector { IOVector(base: nil, length: 0) }

  /// Bytes.
  @inlinable public var byteCount: Int { length }

  /// The memory; nil for `none`.
  @inlinable public var region: ByteRegion? {
    guard let base else { return nil }
    return ByteRegion(base: base, count: length)
  }
}
