// SPDX-License-Identifier: Apache-2.0

import CLinux
import Polling
import Timekeeping
import Uplinks

/// The loop: what has arrived, what leaves, and sleep until either.
final class Relay {
  private enum Token {
    static let a: UInt64 = 0
    static let b: UInt64 = 1
    static let signals: UInt64 = 2
  }

  /// Frames that are taken from one interface before the other has its turn.
  private static let budget = 64

  /// Frames that wait at a TAP until they are read.
  private static let queueLength: Int32 = 10_000

  private let uplinks: [Uplink]
  private let directions: [RelayDirection]
  private let poller: Poller
  private let signals: SignalDescriptor
  private let start = MonotonicClock.now()
  private var isEnding = false

  init(_ options: RelayOptions, signals: SignalDescriptor) throws {
    self.signals = signals
    poller = try Poller(maximumEvents: 8)
    uplinks = try options.ends.map { try Uplink.open($0, queuePairs: 1, mtu: nil) }
    let (a, b) = (uplinks[0], uplinks[1])
    for (end, specification) in zip(uplinks, options.ends) {
      end.setReceiveOffloads([])
      if case .tap(let name) = specification { try Self.lengthenQueue(name) }
    }
    // Tags and the Ethernet header; a unix socket has no MTU.
    let longest = uplinks.map { ($0.mtu ?? 9000) + 14 + 8 }.max() ?? 0
    let first = try RelayDirection(
      from: a, to: b, options.links[0], seed: options.seed, capacity: options.capacity, longest: longest, now: start)
    // The directions have chances of their own.
    let second = try RelayDirection(
      from: b, to: a, options.links[1], seed: ~options.seed, capacity: options.capacity, longest: longest, now: start)
    directions = [first, second]
    for (end, token) in zip(uplinks, [Token.a, Token.b]) {
      guard let descriptor = end.descriptor(queue: 0) else { throw RelayError("\(end.name) can't be read") }
      try poller.add(descriptor, .readable, token: token)
    }
    try poller.add(signals.rawValue, .readable, token: Token.signals)
  }

  /// Until a signal ends it, or an interface has gone.
  func run() throws {
    var isMore = false
    while !isEnding {
      let count = poller.wait(timeout: isMore ? .zero : timeout())
      for index in 0..<count where poller.event(index).token == Token.signals { handleSignals() }
      var now = MonotonicClock.now()
      isMore = false
      for direction in directions where direction.receive(budget: Self.budget, now: now) { isMore = true }
      for end in uplinks where end.isGone { throw RelayError("\(end.name) has gone") }
      now = MonotonicClock.now()
      for direction in directions { direction.send(now: now) }
    }
    report()
  }

  /// Senders burst. What a TAP loses since nobody has read it yet is lost by no seed.
  private static func lengthenQueue(_ name: String) throws {
    let link = OwnedDescriptor(try check("open a socket for interfaces", vtcp_link_socket_open()))
    try check("set the queue of \(name)", vtcp_interface_set_queue_length(link.rawValue, name, queueLength))
  }

  @discardableResult
  private static func check(_ call: String, _ result: Int32) throws -> Int32 {
    guard result >= 0 else { throw SystemError(call: call, code: -result) }
    return result
  }

  private func timeout() -> Interval? {
    let now = MonotonicClock.now()
    guard let next = directions.compactMap({ $0.deadline(now: now) }).min() else { return nil }
    return max(next - now, .zero)
  }

  private func handleSignals() {
    while let signal = signals.next() {
      switch signal {
      case SignalDescriptor.terminate, SignalDescriptor.interrupt: isEnding = true
      case SignalDescriptor.user1: report()
      default: break
      }
    }
  }

  private func report() {
    let now = MonotonicClock.now()
    let seconds = Double((now - start).nanoseconds) / 1e9
    let (first, second) = (directions[0].report(now: now), directions[1].report(now: now))
    Log.output("{\"a_to_b\": \(first), \"b_to_a\": \(second), \"seconds\": \(seconds)}\n")
  }
}
