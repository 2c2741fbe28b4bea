// SPDX-License-Identifier: Apache-2.0

import CLinux

/// Eventfds: how two sides of a queue wake each other.
///
/// What a front-end hands us as an eventfd may be anything. So that nothing here blocks, it is taken only if it
/// `isNotifier`, and `setNonBlocking` is called once when it arrives; errors and short transfers are ignored afterwards.
public struct EventDescriptor {
  /// A new eventfd, not blocking, count 0.
  public static func make() throws(SystemError) -> OwnedDescriptor {
    try OwnedDescriptor("eventfd", vtcp_eventfd_create())
  }

  /// Adds one to the count: wakes who waits for it.
  public static func signal(_ fd: Int32) {
    _ = vtcp_eventfd_signal(fd)
  }

  /// Sets the count back to 0.
  public static func drain(_ fd: Int32) {
    _ = vtcp_eventfd_drain(fd)
  }

  /// Whether it is an eventfd, or at least something that does not wait once told not to: a pipe or a socket. A regular
  /// file does (its file system may be another program's), and would grow with each signal.
  public static func isNotifier(_ fd: Int32) -> Bool { vtcp_is_notifier(fd) > 0 }

  /// Makes reads and writes of a foreign descriptor return instead of wait. False when that cannot be done.
  @discardableResult
  public static func setNonBlocking(_ fd: Int32) -> Bool {
    vtcp_set_nonblocking(fd) >= 0
  }
}
