// SPDX-License-Identifier: Apache-2.0

import CLinux
public import Memory

/// Memory files that two processes map: the guest's memory, and what must outlive a process.
public enum SharedMemory {
  /// Which file a descriptor is of; two of the same compare equal.
  public struct Identity: Hashable, Sendable {
    let device: UInt64
    let number: UInt64
  }

  /// A new memory file of `size` zeroes. It never gets smaller, nor larger unless it `grows` (sealed).
  public static func make(name: String, size: Int, grows: Bool = false) throws(SystemError) -> OwnedDescriptor {
    try OwnedDescriptor("memfd_create", vtcp_memfd_create(name, Int64(size), grows ? 1 : 0))
  }

  /// Which file it is.
  public static func identity(of fd: Int32) throws(SystemError) -> Identity {
    var (device, number) = (0 as UInt64, 0 as UInt64)
    try SystemCalls.check("fstat", SystemCalls.identity(fd, &device, &number))
    return Identity(device: device, number: number)
  }

  /// The size of the file now, in bytes. Its owner may change it.
  public static func size(of fd: Int32) throws(SystemError) -> Int {
    Int(try SystemCalls.check("fstat", vtcp_file_size(fd)))
  }

  /// Makes the file `size` bytes long; new bytes are zero.
  public static func resize(_ fd: Int32, to size: Int) throws(SystemError) {
    try SystemCalls.check("ftruncate", vtcp_file_truncate(fd, Int64(size)))
  }

  /// What offsets and sizes of mappings must be multiples of: the huge page size on hugetlbfs, else the page size.
  public static func blockSize(of fd: Int32) throws(SystemError) -> Int {
    Int(try SystemCalls.check("fstatfs", vtcp_file_block_size(fd)))
  }

  /// Maps `size` bytes from `offset` on to read and write, shared, with no memory reserved for them.
  ///
  /// - Parameter offset: a multiple of `blockSize(of:)`.
  public static func map(_ fd: Int32, size: Int, offset: UInt64) throws(SystemError) -> ByteRegion {
    try SystemCalls.map(fd, size: size, offset: offset)
  }

  /// Ends a mapping: the whole region that `map` returned.
  public static func unmap(_ region: ByteRegion) {
    SystemCalls.unmap(region)
  }

  /// A guest's memory has no place in our core dump (MADV_DONTDUMP).
  public static func excludeFromCoreDump(_ region: ByteRegion) {
    SystemCalls.excludeFromCoreDump(region)
  }
}
