// SPDX-License-Identifier: Apache-2.0

import CLinux
public import Memory

/// Files that processes share by their name: one writes, others read.
///
/// Who writes has a claim on it, a lock that ends with the process however that ends: so readers know whether somebody still
/// writes, and no two do.
public enum NamedFile {
  /// A new file of `size` zeroes at `path`, where none may be: for its owner to write and its group to read.
  ///
  /// - Parameter group: to give it to; nil: that of this process.
  public static func create(path: String, size: Int, group: UInt32?) throws(SystemError) -> OwnedDescriptor {
    try OwnedDescriptor("make \(path)", vtcp_file_create(path, Int64(size), group.map { Int64($0) } ?? -1))
  }

  /// The regular file at `path`, which is no link unless `followsLinks`.
  public static func open(
    path: String, writable: Bool = false, followsLinks: Bool = false
  ) throws(SystemError) -> OwnedDescriptor {
    try OwnedDescriptor("open \(path)", vtcp_file_open(path, writable ? 1 : 0, followsLinks ? 1 : 0))
  }

  /// Takes the file's name away.
  public static func remove(path: String) throws(SystemError) {
    try SystemCalls.check("remove \(path)", vtcp_unlink(path))
  }

  /// Whether it is in memory only.
  public static func isInMemory(_ fd: Int32) throws(SystemError) -> Bool {
    try SystemCalls.check("fstatfs", vtcp_file_is_in_memory(fd)) != 0
  }

  /// Until `fd` is closed, nobody else gets it; EAGAIN if somebody has it. `fd` must be open to write.
  public static func claim(_ fd: Int32) throws(SystemError) {
    try SystemCalls.check("lock", vtcp_file_claim(fd))
  }

  /// Whether somebody else has a claim on it.
  public static func isClaimed(_ fd: Int32) throws(SystemError) -> Bool {
    try SystemCalls.check("ask for the lock", vtcp_file_is_claimed(fd)) != 0
  }

  /// Maps all of it, to read only: a write ends the program.
  public static func mapReadable(_ fd: Int32, size: Int) throws(SystemError) -> ByteRegion {
    try SystemCalls.mapReadable(fd, size: size)
  }
}
