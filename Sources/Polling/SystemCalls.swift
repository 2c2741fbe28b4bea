// SPDX-License-Identifier: Apache-2.0

import CLinux
import Memory

/// The system calls of this target that take addresses; nothing else here does.
///
/// SAFETY: every address handed over is that of a `ByteRegion`, a `RecordBuffer` or an argument converted for the
/// length of the call, with a count that is the region's own; the kernel keeps none of them after the call.
enum SystemCalls {
  static func errorText(_ code: Int32) -> String { String(cString: vtcp_error_text(code)) }

  static func waitForEvents(_ epoll: Int32, into events: RecordBuffer<vtcp_ready_event>, timeout: Int64) -> Int32 {
    vtcp_epoll_wait(epoll, events.base, Int32(clamping: events.capacity), timeout)
  }

  static func receive(
    _ fd: Int32, into region: ByteRegion, descriptors: inout [OwnedDescriptor], truncated: inout Bool
  ) -> Int64 {
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: Int(VTCP_MAXIMUM_DESCRIPTORS)) { buffer in
      // A temporary allocation of a positive capacity has an address.
      guard let arrived = buffer.baseAddress else { return 0 }
      var count: Int32 = 0
      var lost: Int32 = 0
      let result = vtcp_unix_receive(fd, region.base, region.count, arrived, &count, &lost)
      truncated = lost != 0
      for index in 0..<Int(count) {
        // Owned at once, so that a truncated set is closed by going out of scope.
        let descriptor = OwnedDescriptor(arrived[index])
        if !truncated { descriptors.append(descriptor) }
      }
      return result
    }
  }

  static func send(_ fd: Int32, _ region: ByteRegion, descriptors: [Int32]) -> Int64 {
    vtcp_unix_send(fd, region.base, region.count, descriptors, Int32(clamping: descriptors.count))
  }

  static func read(_ fd: Int32, _ region: ByteRegion) -> Int64 { vtcp_read(fd, region.base, region.count) }

  static func write(_ fd: Int32, _ region: ByteRegion) -> Int64 { vtcp_write(fd, region.base, region.count) }

  static func map(_ fd: Int32, size: Int, offset: UInt64) throws(SystemError) -> ByteRegion {
    guard size > 0 else { throw SystemError(call: "mmap", code: 22) }
    var base: UnsafeMutableRawPointer?
    try check("mmap", vtcp_map(fd, size, offset, &base))
    guard let base else { throw SystemError(call: "mmap", code: 22) }
    return ByteRegion(base: base, count: size)
  }

  static func identity(_ fd: Int32, _ device: inout UInt64, _ number: inout UInt64) -> Int32 {
    vtcp_file_identity(fd, &device, &number)
  }

  /// The variable's value, as long as it is UTF-8; nil: there is none.
  static func environment(_ name: String) -> String? {
    vtcp_environment(name).map { String(cString: $0) }
  }

  static func unmap(_ region: ByteRegion) {
    _ = vtcp_unmap(region.base, region.count)
  }

  static func excludeFromCoreDump(_ region: ByteRegion) {
    _ = vtcp_exclude_from_core_dump(region.base, region.count)
  }

  static func mapReadable(_ fd: Int32, size: Int) throws(SystemError) -> ByteRegion {
    guard size > 0 else { throw SystemError(call: "mmap", code: 22) }
    var base: UnsafeMutableRawPointer?
    try check("mmap", vtcp_map_readable(fd, size, &base))
    guard let base else { throw SystemError(call: "mmap", code: 22) }
    return ByteRegion(base: base, count: size)
  }

  static func guardRegion(_ region: ByteRegion, blockSize: Int, isOwn: Bool) throws(SystemError) {
    try check("guard memory", vtcp_guard_add(region.base, region.count, max(blockSize, 0), isOwn ? 1 : 0))
  }

  static func unguardRegion(_ region: ByteRegion) {
    _ = vtcp_guard_remove(region.base)
  }

  static func socketPair(type: Int32) throws(SystemError) -> (OwnedDescriptor, OwnedDescriptor) {
    var first: Int32 = -1
    var second: Int32 = -1
    try check("socketpair", vtcp_unix_pair(type, &first, &second))
    return (OwnedDescriptor(first), OwnedDescriptor(second))
  }

  /// A shim's result, or its error.
  @discardableResult
  static func check<Result: FixedWidthInteger>(_ call: @autoclosure () -> String, _ result: Result)
    throws(SystemError) -> Result
  {
    guard result >= 0 else { throw SystemError(call: call(), code: Int32(clamping: -Int64(result))) }
    return result
  }
}
