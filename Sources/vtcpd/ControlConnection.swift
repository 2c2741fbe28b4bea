// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import HostSystem
import Memory
import Polling
import Timekeeping

/// One request and its answer, or a stream of events. Nobody is waited for longer than `patience`, and nothing grows without bound.
final class ControlConnection {
  private enum State {
    case line([UInt8])
    case body(ControlRequestLine, [UInt8])
    /// The service works on it.
    case answering
    case sending([UInt8], sent: Int)
    case streaming(EventQueue)
  }

  /// For a request to come, and for an answer to be read.
  private static let patience = Interval.seconds(10)
  /// For an answer to be there: NICs with millions of connections take their time.
  private static let answerPatience = Interval.seconds(90)
  private static let piece = 65_536

  let peer: PeerCredentials
  /// Octets of the body that is being received, for the server's accounts.
  private(set) var bodyOctets = 0
  private let socket: OwnedDescriptor
  private unowned let server: ControlServer
  private let loop: EventLoop
  private var state = State.line([])
  private var watch: EventLoop.Watch?
  private var timer: EventLoop.Watch?

  init(_ socket: OwnedDescriptor, peer: PeerCredentials, server: ControlServer, loop: EventLoop) throws(SystemError) {
    self.socket = socket
    self.peer = peer
    self.server = server
    self.loop = loop
    watch = try loop.watch(socket.rawValue, .readable) { [weak self] ready in self?.ready(ready) }
    limit(Self.patience)
  }

  private func limit(_ time: Interval) {
    timer = loop.after(time) { [weak self] in self?.timeout() }
  }

  private func timeout() {
    switch state {
    case .line, .body:
      answer(
        ControlAnswer(
          .mistaken, ControlFailure("the request did not come within \(Self.patience.nanoseconds / 1_000_000_000) s")))
    case .answering: answer(ControlAnswer(.unavailable, ControlFailure("it takes too long, and may go on")))
    case .sending, .streaming: close()
    }
  }

  private func ready(_ ready: Poller.Interest) {
    switch state {
    case .line, .body: receive()
    case .answering: if !ready.isDisjoint(with: [.hangup, .error]) { close() }
    case .sending: send()
    case .streaming: streamReady(ready)
    }
  }

  private func close() {
    timer = nil
    watch = nil
    server.closed(self)
  }

  // MARK: - The request

  private func receive() {
    switch ByteStream.read(socket.rawValue, into: server.room) {
    case .bytes(let count): take(server.room.slice(from: 0, count: count).bytes)
    case .wouldBlock: return
    case .end, .failed: close()
    }
  }

  private func take(_ octets: [UInt8]) {
    switch state {
    case .line(let before): takeLine(before + octets)
    case .body(let line, let before): takeBody(line, before, octets)
    case .answering, .sending, .streaming: return
    }
  }

  private func takeLine(_ octets: [UInt8]) {
    guard let end = octets.prefix(ControlLimits.line).firstIndex(of: UInt8(ascii: "\n")) else {
      state = .line(octets)
      if octets.count >= ControlLimits.line {
        refuse("a request's first line has at most \(ControlLimits.line) octets")
      }
      return
    }
    do throws(ControlProtocolError) {
      let line = try ControlRequestLine(parsing: octets[..<end])
      guard server.hasRoom(for: line.bodyLength, peer) else {
        return answer(ControlAnswer(.unavailable, ControlFailure("too many requests are being received; try again")))
      }
      bodyOctets = line.bodyLength
      takeBody(line, [], Array(octets[(end + 1)...]))
    } catch {
      refuse("\(error)")
    }
  }

  private func takeBody(_ line: ControlRequestLine, _ before: [UInt8], _ octets: [UInt8]) {
    state = .answering
    var body = before
    body += octets
    guard body.count >= line.bodyLength else {
      state = .body(line, body)
      return
    }
    guard body.count == line.bodyLength else { return refuse("more octets came than the request has") }
    bodyOctets = 0
    // From here on only its end is of interest.
    watch?.change([])
    limit(Self.answerPatience)
    server.handle(line, body, ControlReply(self, user: peer.user))
  }

  private func refuse(_ why: String) {
    answer(ControlAnswer(.mistaken, ControlFailure(why)))
  }

  // MARK: - The answer

  func answer(_ answer: ControlAnswer) {
    switch state {
    case .line, .body, .answering: break
    case .sending, .streaming: return
    }
    bodyOctets = 0
    state = .sending(answer.octets, sent: 0)
    limit(Self.patience)
    send()
  }

  private func send() {
    guard case .sending(let octets, var sent) = state else { return }
    while sent < octets.count {
      let piece = Array(octets[sent..<min(sent + Self.piece, octets.count)])
      let region = server.room.slice(from: 0, count: piece.count)
      region.copy(from: piece)
      switch UnixSocket.send(socket.rawValue, region, descriptors: []) {
      case .bytes(let count): sent += count
      case .wouldBlock:
        state = .sending(octets, sent: sent)
        watch?.change(.writable)
        return
      case .failed: return close()
      }
    }
    close()
  }

  // MARK: - A stream

  func stream() {
    state = .streaming(EventQueue())
    timer = nil
    bodyOctets = 0
    streamLine("\(ControlAnswerLine(.good, bodyLength: nil))")
    watch?.change(.readable)
  }

  var isStream: Bool {
    if case .streaming = state { return true }
    return false
  }

  func streamLine(_ line: String) {
    guard case .streaming(var queue) = state else { return }
    queue.append(line)
    state = .streaming(queue)
    flush()
  }

  private func streamReady(_ ready: Poller.Interest) {
    if ready.contains(.readable) || !ready.isDisjoint(with: [.hangup, .error]) {
      switch ByteStream.read(socket.rawValue, into: server.room) {
      // Nothing is asked for any more.
      case .bytes, .wouldBlock: break
      case .end, .failed: return close()
      }
    }
    flush()
  }

  private func flush() {
    guard case .streaming(var queue) = state else { return }
    while !queue.isEmpty {
      let piece = queue.first(Self.piece)
      let region = server.room.slice(from: 0, count: piece.count)
      region.copy(from: piece)
      switch UnixSocket.send(socket.rawValue, region, descriptors: []) {
      case .bytes(let count): queue.removeFirst(count)
      case .wouldBlock:
        state = .streaming(queue)
        watch?.change([.readable, .writable])
        return
      case .failed: return close()
      }
    }
    state = .streaming(queue)
    guard !queue.isOver else { return close() }
    watch?.change(.readable)
  }
}
