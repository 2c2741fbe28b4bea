// SPDX-License-Identifier: Apache-2.0

import HostService
import Memory
import Polling
import Timekeeping

/// Asks one NIC at its control socket (docs/control.md), one request after the other, without ever waiting for it.
final class NICControl {
  /// Why there is no answer.
  enum Failure: Error, CustomStringConvertible {
    /// It can't be reached: it does not run.
    case unreachable(SystemError)
    case timedOut
    case broken(String)
    /// It has died, or is to be asked no more.
    case given(up: String)

    var description: String {
      switch self {
      case .unreachable(let error): "\(error)"
      case .timedOut: "the NIC does not answer at its control socket"
      case .broken(let why): "the NIC's answer can't be understood: \(why)"
      case .given(let why): why
      }
    }
  }

  typealias Completion = (Result<NICAnswer, Failure>) -> Void

  private struct Request {
    let octets: [UInt8]
    let descriptors: [OwnedDescriptor]
    let patience: Interval
    let completion: Completion
  }

  /// Requests that may wait: one of each kind, and some for people.
  private static let longestQueue = 32

  private let path: String
  private let loop: EventLoop
  private let room = ByteRegion.allocate(count: 16_384)
  private var waiting: [Request] = []
  private var current: Request?
  private var socket: OwnedDescriptor?
  private var watch: EventLoop.Watch?
  private var timer: EventLoop.Watch?
  private var sent = 0
  private var answer: [UInt8] = []

  init(path: String, loop: EventLoop) {
    self.path = path
    self.loop = loop
  }

  deinit {
    room.deallocate()
  }

  /// Calls `completion` once, later.
  func ask(
    _ octets: [UInt8], descriptors: [OwnedDescriptor] = [], patience: Interval = .seconds(10),
    _ completion: @escaping Completion
  ) {
    guard waiting.count < Self.longestQueue else {
      completion(.failure(.given(up: "too many requests wait for the NIC")))
      return
    }
    waiting.append(Request(octets: octets, descriptors: descriptors, patience: patience, completion: completion))
    if current == nil { next() }
  }

  /// Ends all requests.
  func giveUp(_ why: String) {
    let all = (current.map { [$0] } ?? []) + waiting
    waiting = []
    close()
    for request in all { request.completion(.failure(.given(up: why))) }
  }

  private func next() {
    guard current == nil, !waiting.isEmpty else { return }
    let request = waiting.removeFirst()
    current = request
    sent = 0
    answer = []
    do throws(SystemError) {
      let socket = try UnixSocket.connect(path: path)
      self.socket = socket
      timer = loop.after(request.patience) { [weak self] in self?.finish(.failure(.timedOut)) }
      watch = try loop.watch(socket.rawValue, .writable) { [weak self] _ in self?.ready() }
    } catch {
      finish(.failure(.unreachable(error)))
    }
  }

  private func ready() {
    guard let request = current, let socket else { return }
    while sent < request.octets.count {
      let bytes = ByteRegion.allocate(count: request.octets.count - sent)
      defer { bytes.deallocate() }
      bytes.copy(from: Array(request.octets[sent...]))
      let descriptors = sent == 0 ? request.descriptors.map(\.rawValue) : []
      switch UnixSocket.send(socket.rawValue, bytes, descriptors: descriptors) {
      case .bytes(let count): sent += count
      case .wouldBlock: return
      // It may have answered before it had read all.
      case .failed: sent = request.octets.count
      }
      if sent == request.octets.count { watch?.change(.readable) }
    }
    receive(socket)
  }

  private func receive(_ socket: OwnedDescriptor) {
    while true {
      switch ByteStream.read(socket.rawValue, into: room) {
      case .bytes(let count):
        answer += room.slice(from: 0, count: count).bytes
        guard answer.count <= NICAnswer.longest else { return finish(.failure(.broken("it is too long"))) }
      case .wouldBlock: return
      case .end:
        guard let whole = NICAnswer(parsing: answer) else { return finish(.failure(.broken("it is not whole"))) }
        return finish(.success(whole))
      case .failed(let error): return finish(.failure(.broken("\(error)")))
      }
    }
  }

  private func finish(_ result: Result<NICAnswer, Failure>) {
    let completion = current?.completion
    close()
    completion?(result)
    next()
  }

  private func close() {
    watch = nil
    timer = nil
    socket = nil
    current = nil
  }
}
