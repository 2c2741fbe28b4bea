// SPDX-License-Identifier: Apache-2.0
import CTestSupport
import Glibc

/// A file descriptor that is closed when the last reference goes.
public final class Descriptor: @unchecked Sendable {
  public let number: Int32

  /// Takes over `number`; a negative one is the failure of the call named by `what`.
  public init(_ number: Int32, _ what: String = "descriptor") throws {
    guard number >= 0 else { throw TestFailure("\(what): errno \(errno)") }
    self.number = number
  }

  deinit {
    close(number)
  }

  /// Two connected AF_UNIX sockets of `kind` (SOCK_STREAM, SOCK_SEQPACKET or SOCK_DGRAM), close-on-exec.
  public static func socketPair(_ kind: Int32) throws -> (Descriptor, Descriptor) {
    var ends: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, kind | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
      throw TestFailure("socketpair: errno \(errno)")
    }
    return (try Descriptor(ends[0]), try Descriptor(ends[1]))
  }

  /// The reading and the writing end of a pipe, close-on-exec.
  public static func pipe() throws -> (Descriptor, Descriptor) {
    var ends: [Int32] = [-1, -1]
    guard test_pipe(&ends) == 0 else { throw TestFailure("pipe: errno \(errno)") }
    return (try Descriptor(ends[0]), try Descriptor(ends[1]))
  }

  /// An epoll descriptor that watches nothing.
  public static func epoll() throws -> Descriptor { try Descriptor(test_epoll(), "epoll_create1") }

  /// A memfd of `size` bytes, close-on-exec.
  public static func memory(_ name: String, size: Int) throws -> Descriptor {
    try Descriptor(test_memfd(name, UInt64(size)), "memfd_create")
  }

  /// Waits for `events` (POLLIN, POLLOUT); false when `deadline` passes first. The end of a peer counts as an event.
  public func wait(for events: Int32, until deadline: Deadline) -> Bool {
    var wanted = pollfd(fd: number, events: Int16(events), revents: 0)
    while true {
      let ready = poll(&wanted, 1, deadline.milliseconds)
      if ready > 0 { return true }
      if ready == 0 || errno != EINTR { return false }
    }
  }
}
