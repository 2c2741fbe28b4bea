// SPDX-License-Identifier: Apache-2.0

import CLinux
public import Memory

/// Survives what a front-end can do to memory that it shares: a file truncated under our mapping.
///
/// An access beyond the file's end raises SIGBUS; in a protected region it then meets zeroes of our own instead, and
/// the fault is counted. The mapping is broken from there on, but the process lives, and with it the right to stop
/// that queue in order. Regions are added and removed by one thread; 600 fit.
public enum MemoryGuard {
  /// Installs the handler of SIGBUS; once, before the first `protect`.
  public static func install() throws(SystemError) {
    try SystemCalls.check("sigaction", vtcp_guard_install())
  }

  /// - Parameters:
  ///   - blockSize: the mapping's block (`SharedMemory.blockSize(of:)`): what is replaced at a fault.
  ///   - isOwn: the file is not one of a front-end; its faults are counted apart.
  public static func protect(_ region: ByteRegion, blockSize: Int, isOwn: Bool = false) throws(SystemError) {
    try SystemCalls.guardRegion(region, blockSize: blockSize, isOwn: isOwn)
  }

  /// Call it before the region is unmapped.
  public static func unprotect(_ region: ByteRegion) {
    SystemCalls.unguardRegion(region)
  }

  /// Faults survived since the start, but for those in files of our own.
  public static var faultCount: UInt64 { vtcp_guard_faults() }
  /// Faults in files of our own: cut short by somebody, or on a file system that is full.
  public static var ownFaultCount: UInt64 { vtcp_guard_own_faults() }
}
