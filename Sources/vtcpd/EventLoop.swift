// SPDX-License-Identifier: Apache-2.0

import Polling
import Timekeeping

/// Waits for descriptors and times, and calls who waits for them: one thread, one thing after the other. Without events it sleeps.
final class EventLoop {
  /// Something that is waited for, until it is cancelled or let go of.
  final class Watch {
    fileprivate let token: UInt64
    private let descriptor: Int32?
    private weak var loop: EventLoop?

    fileprivate init(_ token: UInt64, _ descriptor: Int32?, _ loop: EventLoop) {
      self.token = token
      self.descriptor = descriptor
      self.loop = loop
    }

    deinit { cancel() }

    /// The descriptor may be closed afterwards, and not before.
    func cancel() {
      loop?.forget(token, descriptor)
      loop = nil
    }

    func change(_ interest: Poller.Interest) {
      guard let descriptor, let loop else { return }
      try? loop.poller.modify(descriptor, interest, token: token)
    }
  }

  fileprivate let poller: Poller
  // Tokens are used once only: an event that was fetched for somebody who has gone meanwhile finds nobody.
  private var lastToken: UInt64 = 0
  private var handlers: [UInt64: (Poller.Interest) -> Void] = [:]
  private var deadlines: [UInt64: (time: Instant, body: () -> Void)] = [:]
  private var isStopped = false

  init() throws(SystemError) {
    poller = try Poller(maximumEvents: 64)
  }

  /// Calls `body` whenever the descriptor is ready.
  func watch(
    _ descriptor: Int32, _ interest: Poller.Interest, _ body: @escaping (Poller.Interest) -> Void
  ) throws(SystemError) -> Watch {
    lastToken += 1
    try poller.add(descriptor, interest, token: lastToken)
    handlers[lastToken] = body
    return Watch(lastToken, descriptor, self)
  }

  /// Calls `body` once, not before that time has gone by.
  func after(_ interval: Interval, _ body: @escaping () -> Void) -> Watch {
    lastToken += 1
    deadlines[lastToken] = (MonotonicClock.now() + interval, body)
    return Watch(lastToken, nil, self)
  }

  private func forget(_ token: UInt64, _ descriptor: Int32?) {
    deadlines[token] = nil
    guard handlers.removeValue(forKey: token) != nil, let descriptor else { return }
    poller.remove(descriptor)
  }

  func stop() { isStopped = true }

  /// Until `stop`.
  func run() {
    while !isStopped {
      let next = deadlines.values.map(\.time).min()
      let count = poller.wait(timeout: next.map { $0 - MonotonicClock.now() })
      // Fetched before anybody is called: who is called may wait for something else.
      let events = (0..<count).map { poller.event($0) }
      for event in events { handlers[event.token]?(event.ready) }
      runTimers()
    }
  }

  private func runTimers() {
    let now = MonotonicClock.now()
    let due = deadlines.filter { $0.value.time <= now }.sorted { $0.value.time < $1.value.time }
    for (token, entry) in due where deadlines.removeValue(forKey: token) != nil { entry.body() }
  }
}
