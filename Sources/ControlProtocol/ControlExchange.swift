// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling
import Timekeeping

/// The octets of one request and its answer, as the client moves them.
final class ControlExchange {
  private static let piece = 65_536

  private let socket: OwnedDescriptor
  private let path: String
  private let deadline: Instant
  private let room = ByteRegion.allocate(count: ControlExchange.piece)
  /// What came and was not taken yet.
  private var pending: [UInt8] = []
  private var isOver = false

  init(_ socket: OwnedDescriptor, path: String, deadline: Instant) {
    self.socket = socket
    self.path = path
    self.deadline = deadline
  }

  deinit {
    room.deallocate()
  }

  func send(_ octets: [UInt8]) throws(ControlClientError) {
    let bytes = ByteRegion.allocate(count: octets.count)
    defer { bytes.deallocate() }
    bytes.copy(from: octets)
    var sent = 0
    while sent < bytes.count {
      switch UnixSocket.send(socket.rawValue, bytes.suffix(from: sent), descriptors: []) {
      case .bytes(let count): sent += count
      case .wouldBlock: try wait(.writable, until: deadline)
      // It may have answered before it had read all: that a body is too long, say.
      case .failed: return
      }
    }
  }

  func answerLine() throws(ControlClientError) -> ControlAnswerLine {
    guard let line = try nextLine(until: deadline) else { throw .broken("the connection ended before it") }
    do throws(ControlProtocolError) { return try ControlAnswerLine(parsing: line) } catch { throw .broken("\(error)") }
  }

  func octets(_ count: Int) throws(ControlClientError) -> [UInt8] {
    while pending.count < count {
      guard try receive(until: deadline) else { throw .broken("the connection ended before it was whole") }
    }
    return Array(pending.prefix(count))
  }

  /// Without its newline; nil at the end. `limit` nil: waits for ever.
  func nextLine(until limit: Instant?) throws(ControlClientError) -> [UInt8]? {
    var searched = 0
    while true {
      if let end = pending[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        defer { pending.removeFirst(end + 1) }
        return Array(pending[..<end])
      }
      searched = pending.count
      guard searched <= ControlLimits.body else { throw .broken("a line has more than \(ControlLimits.body) octets") }
      guard try receive(until: limit) else { return nil }
    }
  }

  /// False: nothing comes any more.
  private func receive(until limit: Instant?) throws(ControlClientError) -> Bool {
    while !isOver {
      switch ByteStream.read(socket.rawValue, into: room) {
      case .bytes(let count):
        pending += room.slice(from: 0, count: count).bytes
        return true
      case .wouldBlock: try wait(.readable, until: limit)
      case .end: isOver = true
      case .failed(let error): throw .broken("\(error)")
      }
    }
    return false
  }

  private func wait(_ interest: Poller.Interest, until limit: Instant?) throws(ControlClientError) {
    do throws(SystemError) {
      let poller = try Poller(maximumEvents: 1)
      try poller.add(socket.rawValue, interest, token: 0)
      // A signal ends the wait too: only the clock says that time is over.
      if poller.wait(timeout: limit.map { $0 - MonotonicClock.now() }) > 0 { return }
    } catch {
      throw .unreachable(error)
    }
    guard let limit, MonotonicClock.now() >= limit else { return }
    throw .timedOut(path: path)
  }
}
