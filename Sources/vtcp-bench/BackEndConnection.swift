// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling
import Timekeeping
import VhostUser

/// The front-end's end of a vhost-user connection: requests, one after the other, each waited for.
final class BackEndConnection {
  private static let patience = Interval.seconds(10)
  private static let retryInterval = Interval.milliseconds(20)
  private static let headerBytes = 12
  private static let version: UInt32 = 1
  private static let needReply: UInt32 = 8

  let socket: OwnedDescriptor
  /// Whether `VHOST_USER_PROTOCOL_F_REPLY_ACK` was negotiated.
  var acknowledges = false
  private let poller: Poller
  private let buffer = ByteRegion.allocate(count: 4096)

  init(_ socket: OwnedDescriptor) throws {
    self.socket = socket
    poller = try Poller(maximumEvents: 1)
    try poller.add(socket.rawValue, .readable, token: 0)
  }

  deinit { buffer.deallocate() }

  /// `--connect PATH` or `--listen PATH`; waits for the other side to be there.
  static func open(_ arguments: Arguments) throws -> BackEndConnection {
    switch (arguments["--connect"], arguments["--listen"]) {
    case (let path?, nil): return try BackEndConnection(connect(path))
    case (nil, let path?): return try BackEndConnection(accept(path))
    default: throw BenchError("either --connect PATH or --listen PATH is needed")
    }
  }

  private static func connect(_ path: String) throws -> OwnedDescriptor {
    let pause = try Poller(maximumEvents: 1)
    let end = MonotonicClock.now() + patience
    while true {
      do throws(SystemError) {
        return try UnixSocket.connect(path: path)
      } catch {
        guard MonotonicClock.now() < end else { throw error }
        _ = pause.wait(timeout: retryInterval)
      }
    }
  }

  private static func accept(_ path: String) throws -> OwnedDescriptor {
    let listener = try UnixSocket.listen(path: path)
    defer { try? UnixSocket.removeName(path) }
    let poller = try Poller(maximumEvents: 1)
    try poller.add(listener.rawValue, .readable, token: 0)
    let end = MonotonicClock.now() + patience
    while MonotonicClock.now() < end {
      if let socket = try UnixSocket.accept(listener.rawValue) { return socket }
      _ = poller.wait(timeout: end - MonotonicClock.now())
    }
    throw BenchError("no back-end has connected to \(path)")
  }

  /// A request whose reply is a number.
  func ask(_ request: FrontEndRequest) throws -> UInt64 {
    try write(request, [], flags: 0, descriptors: [])
    return try readReply(to: request)
  }

  /// A request without a reply of its own. `words` are its payload.
  func tell(_ request: FrontEndRequest, _ words: [UInt64], descriptors: [Int32] = []) throws {
    try write(request, words, flags: acknowledges ? Self.needReply : 0, descriptors: descriptors)
    guard acknowledges else { return }
    let status = try readReply(to: request)
    guard status == 0 else { throw BenchError("the back-end refuses \(request): \(status)") }
  }

  /// A vring's index and a number ("A vring state description").
  func tell(_ request: FrontEndRequest, vring: Int, _ number: UInt32) throws {
    try tell(request, [UInt64(vring) | UInt64(number) << 32])
  }

  private func write(_ request: FrontEndRequest, _ words: [UInt64], flags: UInt32, descriptors: [Int32]) throws {
    let size = Self.headerBytes + 8 * words.count
    let message = buffer.slice(from: 0, count: size)
    message.store(request.rawValue, at: 0)
    message.store(Self.version | flags, at: 4)
    message.store(UInt32(8 * words.count), at: 8)
    for (index, word) in words.enumerated() { message.store(word, at: Self.headerBytes + 8 * index) }
    // A message is far smaller than an empty socket's room.
    guard case .bytes(size) = UnixSocket.send(socket.rawValue, message, descriptors: descriptors) else {
      throw BenchError("the back-end does not take \(request)")
    }
  }

  private func readReply(to request: FrontEndRequest) throws -> UInt64 {
    try receive(Self.headerBytes)
    let header = (request: buffer.load(UInt32.self, at: 0), size: Int(buffer.load(UInt32.self, at: 8)))
    guard header.request == request.rawValue, header.size == 8 else {
      throw BenchError("the reply to \(request) is \(header.size) bytes for request \(header.request)")
    }
    try receive(header.size)
    return buffer.load(UInt64.self, at: 0)
  }

  private func receive(_ count: Int) throws {
    var received = 0
    var descriptors: [OwnedDescriptor] = []
    while received < count {
      switch UnixSocket.receive(
        socket.rawValue, into: buffer.slice(from: received, count: count - received), descriptors: &descriptors)
      {
      case .bytes(let part), .truncated(let part): received += part
      case .wouldBlock:
        guard poller.wait(timeout: Self.patience) > 0 else { throw BenchError("the back-end does not answer") }
      case .closed: throw BenchError("the back-end has closed the connection")
      case .failed(let error): throw error
      }
    }
  }

  /// Reads away what the back-end says by itself. False once it has gone.
  func isOpen() -> Bool {
    var descriptors: [OwnedDescriptor] = []
    while true {
      switch UnixSocket.receive(socket.rawValue, into: buffer, descriptors: &descriptors) {
      case .bytes, .truncated: continue
      case .wouldBlock: return true
      case .closed, .failed: return false
      }
    }
  }
}
