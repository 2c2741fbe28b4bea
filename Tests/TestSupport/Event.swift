// SPDX-License-Identifier: Apache-2.0
import CTestSupport
import Glibc

/// An eventfd: a kick, a call or an error descriptor.
public final class Event: Sendable {
  public let descriptor: Descriptor

  public init() throws {
    descriptor = try Descriptor(test_eventfd(), "eventfd")
  }

  public var number: Int32 { descriptor.number }

  public func signal() {
    var one: UInt64 = 1
    _ = write(number, &one, 8)
  }

  /// Takes the signals given so far; 0 when there are none.
  @discardableResult
  public func take() -> UInt64 {
    var count: UInt64 = 0
    return read(number, &count, 8) == 8 ? count : 0
  }

  /// Waits for a signal and takes it; 0 when none came in `timeout` seconds.
  public func wait(_ timeout: Double = 5) -> UInt64 {
    guard descriptor.wait(for: POLLIN, until: Deadline(after: timeout)) else { return 0 }
    return take()
  }
}
