// SPDX-License-Identifier: Apache-2.0

public import CLinux

/// A range of memory in a scatter or gather list: the layout of the kernel's `struct iovec`.
public typealias IOVector = vtcp_io_vector

extension IOVector {
  @inlinable
  public init(_ region: ByteRegion) {
    self.init(base: region.base, length: region.count)
  }
}
