// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A moment on the monotonic clock after which waiting is a failure.
public struct Deadline: Sendable {
  private let nanoseconds: Int64

  public init(after seconds: Double) {
    nanoseconds = Deadline.now() + Int64(seconds * 1e9)
  }

  /// Monotonic time in nanoseconds.
  public static func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  public var hasPassed: Bool { Deadline.now() >= nanoseconds }

  /// What is left, rounded up to whole milliseconds as poll(2) wants it.
  public var milliseconds: Int32 {
    Int32(clamping: max(0, (nanoseconds - Deadline.now() + 999_999) / 1_000_000))
  }
}
