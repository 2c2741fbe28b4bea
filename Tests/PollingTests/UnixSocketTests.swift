// SPDX-License-Identifier: Apache-2.0

import Glibc
import Memory
import Polling
import Testing
import Timekeeping

@Suite("Unix sockets: paths, and descriptors in messages")
struct UnixSocketTests {
  /// A path of this test's own, removed at the end.
  private func withPath<Result>(_ body: (String) throws -> Result) rethrows -> Result {
    let path = "/tmp/vtcp-test-\(getpid())-\(UInt64.random(in: 0 ... .max)).sock"
    defer { unlink(path) }
    return try body(path)
  }

  private func code(_ body: () throws -> Void) -> Int32? {
    do {
      try body()
      return nil
    } catch { return (error as? SystemError)?.code }
  }

  @Test func connectionIsAcceptedAndOnlyTheListenerListens() throws {
    try withPath { path in
      let listener = try UnixSocket.listen(path: path)
      #expect(try UnixSocket.accept(listener.rawValue) == nil)
      let client = try UnixSocket.connect(path: path)
      let server = try #require(try UnixSocket.accept(listener.rawValue))
      #expect(UnixSocket.isListening(listener.rawValue))
      #expect(!UnixSocket.isListening(server.rawValue))
      #expect(!UnixSocket.isListening(-1))
      withExtendedLifetime(client) {}
    }
  }

  @Test func staleSocketIsReplaced() throws {
    try withPath { path in
      do { _ = try UnixSocket.listen(path: path) }
      #expect(code { _ = try UnixSocket.connect(path: path) } == ECONNREFUSED)
      let listener = try UnixSocket.listen(path: path)
      _ = try UnixSocket.connect(path: path)
      withExtendedLifetime(listener) {}
    }
  }

  @Test func socketThatAnswersIsNotTakenOver() throws {
    try withPath { path in
      let listener = try UnixSocket.listen(path: path)
      #expect(code { _ = try UnixSocket.listen(path: path) } == EADDRINUSE)
      _ = try UnixSocket.connect(path: path)
      withExtendedLifetime(listener) {}
    }
  }

  @Test func fileThatIsNoSocketStays() {
    withPath { path in
      let file = OwnedDescriptor(open(path, O_CREAT | O_WRONLY, 0o600))
      #expect(code { _ = try UnixSocket.listen(path: path) } == ENOTSOCK)
      #expect(access(path, F_OK) == 0)
      withExtendedLifetime(file) {}
    }
  }

  @Test(arguments: [(0, EINVAL), (108, ENAMETOOLONG), (4096, ENAMETOOLONG)])
  func pathThatDoesNotFitIsAnError(length: Int, expected: Int32) {
    #expect(code { _ = try UnixSocket.listen(path: String(repeating: "x", count: length)) } == expected)
  }

  @Test(arguments: [0, 1, 8, 64, 253])
  func descriptorsArriveWithTheirBytes(count: Int) throws {
    let (near, far) = try UnixSocket.pair(.stream)
    let event = try EventDescriptor.make()
    let bytes = ByteRegion.allocate(count: 16)
    defer { bytes.deallocate() }
    bytes.copy(from: [1, 2, 3])
    let descriptors = [Int32](repeating: event.rawValue, count: count)
    #expect(UnixSocket.send(near.rawValue, bytes.slice(from: 0, count: 3), descriptors: descriptors) == .bytes(3))
    var arrived: [OwnedDescriptor] = []
    #expect(UnixSocket.receive(far.rawValue, into: bytes, descriptors: &arrived) == .bytes(3))
    #expect(arrived.count == count)
    guard let last = arrived.last else { return }
    // It is the same eventfd by another number.
    EventDescriptor.signal(last.rawValue)
    let poller = try Poller(maximumEvents: 1)
    try poller.add(event.rawValue, .readable, token: 0)
    #expect(poller.wait(timeout: .zero) == 1)
    #expect(fcntl(last.rawValue, F_GETFD) & FD_CLOEXEC != 0)
  }

  @Test func emptySocketWouldBlockAndAClosedOneIsClosed() throws {
    let bytes = ByteRegion.allocate(count: 16)
    defer { bytes.deallocate() }
    var arrived: [OwnedDescriptor] = []
    let near: OwnedDescriptor
    do {
      let pair = try UnixSocket.pair(.stream)
      near = pair.0
      #expect(UnixSocket.receive(near.rawValue, into: bytes, descriptors: &arrived) == .wouldBlock)
      shutdown(pair.1.rawValue, Int32(SHUT_RDWR))
    }
    #expect(UnixSocket.receive(near.rawValue, into: bytes, descriptors: &arrived) == .closed)
    guard case .failed(let error) = UnixSocket.send(near.rawValue, bytes, descriptors: []) else {
      Issue.record("a send to a closed peer must fail")
      return
    }
    #expect(error.code == EPIPE)
  }

  @Test func fullSocketWouldBlock() throws {
    let (near, far) = try UnixSocket.pair(.stream)
    let bytes = ByteRegion.allocate(count: 65_536)
    defer { bytes.deallocate() }
    let blocked = (0..<1000).contains { _ in
      UnixSocket.send(near.rawValue, bytes, descriptors: []) == .wouldBlock
    }
    #expect(blocked)
    withExtendedLifetime(far) {}
  }
}
