// SPDX-License-Identifier: Apache-2.0

import CLinux
import CTestSupport
import Glibc
import Memory
import Polling

/// Descriptors that a front-end may send: what they should be, and what they should not. The same for all inputs.
final class DescriptorStock {
  nonisolated(unsafe) static let shared = DescriptorStock()

  static let ramBytes = 1 << 20
  static let secondBytes = 1 << 16

  /// By number in the input, modulo their count.
  let descriptors: [Int32]
  /// The first: the guest's memory, mapped here as the guest has it.
  let ram: Int32
  let memory: ByteRegion
  let kick: Int32
  /// A counter that nothing can be added to without waiting.
  let full: Int32
  /// What waits, for ever maybe, unless it is told not to.
  private let blocking: [Int32]

  private init() {
    func pipe() -> (reader: Int32, writer: Int32) {
      var ends: [Int32] = [-1, -1]
      _ = test_pipe(&ends)
      return (ends[0], ends[1])
    }
    signal(SIGPIPE, SIG_IGN)
    ram = test_memfd("fuzz", UInt64(Self.ramBytes))
    kick = test_eventfd()
    let (open, stuffed, broken) = (pipe(), pipe(), pipe())
    close(broken.reader)
    _ = fcntl(stuffed.writer, F_SETFL, O_NONBLOCK)
    let page = [UInt8](repeating: 0, count: 4096)
    while write(stuffed.writer, page, page.count) > 0 {}
    full = test_eventfd()
    var most = UInt64.max - 1
    write(full, &most, 8)
    // F_ADD_SEALS, F_SEAL_WRITE: it can't be mapped to write.
    let sealed = test_memfd("fuzz", 4096)
    _ = fcntl(sealed, 1033, 8)
    blocking = [test_eventfd(), full, open.writer, open.reader, stuffed.writer, broken.writer]
    let others = [
      test_memfd("fuzz", UInt64(Self.secondBytes)), test_memfd("fuzz", 100), test_memfd("fuzz", 0), sealed,
      Glibc.open("/proc/self/fd/\(ram)", O_RDONLY | O_CLOEXEC), Glibc.open("/dev/null", O_RDWR | O_CLOEXEC),
      Glibc.open("/", O_RDONLY | O_CLOEXEC), Glibc.open("/dev/zero", O_RDWR | O_CLOEXEC), vtcp_epoll_create(),
      vtcp_timerfd_create(), socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0),
    ]
    descriptors = [ram, kick] + others + blocking
    guard let map = try? SharedMemory.map(ram, size: Self.ramBytes, offset: 0) else {
      preconditionFailure("there is no memory to map")
    }
    memory = map
    try? MemoryGuard.install()
    try? MemoryGuard.protect(map, blockSize: 4096)
  }

  /// Memory is zero and of full length, nothing is signalled.
  func reset() {
    ftruncate(ram, 0)
    ftruncate(ram, Self.ramBytes)
    for number in [kick, blocking[0]] {
      EventDescriptor.setNonBlocking(number)
      EventDescriptor.drain(number)
    }
    // Whoever got one of these before has changed it for all.
    for number in blocking { _ = fcntl(number, F_SETFL, 0) }
  }

  func shorten(to bytes: Int) { ftruncate(ram, bytes) }

  /// The number that the next descriptor would get: it is larger after a leak.
  func lowestFree() -> Int32 {
    let number = fcntl(ram, F_DUPFD, 0)
    close(number)
    return number
  }
}
