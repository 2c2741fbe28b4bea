// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling
public import Timekeeping

/// Asks vtcpd, and waits for the answer no longer than told.
public struct ControlClient: Sendable {
  /// Where vtcpd listens if nothing else is said.
  public static let defaultPath = "/run/vtcp/control.sock"
  /// Between two attempts while the backlog is full.
  private static let retryInterval = Interval.milliseconds(5)

  public let path: String
  /// For a whole answer; of a stream, for its first line.
  public let patience: Interval

  public init(path: String = ControlClient.defaultPath, patience: Interval = .seconds(30)) {
    self.path = path
    self.patience = patience
  }

  /// The answer, whatever its status is.
  public func ask(
    _ method: ControlMethod, _ about: ControlPath, body: [UInt8] = []
  ) throws(ControlClientError) -> ControlAnswer {
    let exchange = try begin(method, about, body)
    return try whole(try exchange.answerLine(), exchange)
  }

  /// A stream's lines; the answer instead if it is none.
  public func follow(_ about: ControlPath) throws(ControlClientError) -> (stream: ControlStream?, answer: ControlAnswer)
  {
    let exchange = try begin(.get, about, [])
    let line = try exchange.answerLine()
    guard line.bodyLength == nil else { return (nil, try whole(line, exchange)) }
    return (ControlStream(exchange), ControlAnswer(line.status, body: []))
  }

  private func whole(_ line: ControlAnswerLine, _ exchange: ControlExchange) throws(ControlClientError) -> ControlAnswer
  {
    guard let length = line.bodyLength else { throw .broken("a stream where one answer was asked for") }
    return ControlAnswer(line.status, body: try exchange.octets(length))
  }

  private func begin(
    _ method: ControlMethod, _ about: ControlPath, _ body: [UInt8]
  ) throws(ControlClientError) -> ControlExchange {
    let line = "\(ControlRequestLine(method, about, bodyLength: body.count))\n"
    guard line.utf8.count <= ControlLimits.line else {
      throw .broken("the request's first line would have more than \(ControlLimits.line) octets")
    }
    guard body.count <= ControlLimits.body else {
      throw .broken("the request's body would have more than \(ControlLimits.body) octets")
    }
    let deadline = MonotonicClock.now() + patience
    let exchange = ControlExchange(try connect(by: deadline), path: path, deadline: deadline)
    try exchange.send(Array(line.utf8) + body)
    return exchange
  }

  private func connect(by deadline: Instant) throws(ControlClientError) -> OwnedDescriptor {
    while true {
      do throws(SystemError) {
        return try UnixSocket.connect(path: path)
      } catch {
        guard error.code == ControlClientError.again else { throw .unreachable(error) }
        guard MonotonicClock.now() < deadline else { throw .timedOut(path: path) }
        pause()
      }
    }
  }

  /// A full backlog can't be waited for: there is no descriptor yet.
  private func pause() {
    guard let poller = try? Poller(maximumEvents: 1) else { return }
    _ = poller.wait(timeout: Self.retryInterval)
  }
}
