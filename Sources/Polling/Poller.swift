// SPDX-License-Identifier: Apache-2.0

import CLinux
import Memory
public import Timekeeping

/// Waits for descriptors to become ready (`epoll`).
///
/// One thread uses it. Descriptors stay their owner's: remove one before it is closed. A token is whatever the owner
/// wants back with an event; an event that was fetched may be for a descriptor removed since, so tokens should carry
/// a generation where descriptors come and go.
public final class Poller {
  /// What to wait for, and what was seen. `hangup` and `error` are always reported, asked for or not.
  public struct Interest: OptionSet, Sendable, BitwiseCopyable {
    public let rawValue: UInt32

    @inlinable
    public init(rawValue: UInt32) {
      self.rawValue = rawValue
    }

    /// EPOLLIN
    public static let readable = Interest(rawValue: 0x001)
    /// EPOLLOUT
    public static let writable = Interest(rawValue: 0x004)
    /// EPOLLERR
    public static let error = Interest(rawValue: 0x008)
    /// EPOLLHUP
    public static let hangup = Interest(rawValue: 0x010)
    /// EPOLLET: one event for each change instead of events for as long as the state lasts.
    public static let edgeTriggered = Interest(rawValue: 0x8000_0000)
  }

  private let epoll: OwnedDescriptor
  private let events: RecordBuffer<vtcp_ready_event>

  /// - Parameter maximumEvents: how many events one `wait` fetches at most; the kernel is asked for 256 at most.
  public init(maximumEvents: Int) throws(SystemError) {
    epoll = try OwnedDescriptor("epoll_create1", vtcp_epoll_create())
    events = RecordBuffer(capacity: min(max(maximumEvents, 1), 256), repeating: vtcp_ready_event())
  }

  deinit {
    events.deallocate()
  }

  public func add(_ fd: Int32, _ interest: Interest, token: UInt64) throws(SystemError) {
    try SystemCalls.check("epoll_ctl", vtcp_epoll_add(epoll.rawValue, fd, interest.rawValue, token))
  }

  public func modify(_ fd: Int32, _ interest: Interest, token: UInt64) throws(SystemError) {
    try SystemCalls.check("epoll_ctl", vtcp_epoll_modify(epoll.rawValue, fd, interest.rawValue, token))
  }

  /// Watches `fd` no more; nothing happens when it was not watched.
  public func remove(_ fd: Int32) {
    _ = vtcp_epoll_remove(epoll.rawValue, fd)
  }

  /// Waits until something is ready or the time is over, and returns the number of events.
  ///
  /// - Parameter timeout: nil waits for ever, zero or less only looks. A signal ends the wait with 0 events.
  public func wait(timeout: Interval?) -> Int {
    let nanoseconds = timeout.map { max($0.nanoseconds, 0) } ?? -1
    return max(0, Int(SystemCalls.waitForEvents(epoll.rawValue, into: events, timeout: nanoseconds)))
  }

  /// The event number `index` of the last `wait`.
  public func event(_ index: Int) -> (token: UInt64, ready: Interest) {
    let event = events[index]
    return (event.token, Interest(rawValue: event.events))
  }
}
