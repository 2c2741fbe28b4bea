// SPDX-License-Identifier: Apache-2.0

import Memory
public import Polling
public import Timekeeping

/// A capture as it comes from a vtcp-nic: octets of pcapng, until it or we end it.
public final class CaptureConnection {
  private enum Token {
    static let connection: UInt64 = 0
    static let signal: UInt64 = 1
  }

  /// How long the last blocks may take once we have said that it is enough.
  private static let patience = Interval.seconds(5)

  private let socket: OwnedDescriptor
  private var pending: [UInt8]
  private let room = ByteRegion.allocate(count: 1 << 18)
  private var hasEnded = false
  /// When we no longer wait for the last blocks.
  private var endLimit: Instant?

  init(_ socket: OwnedDescriptor, _ first: [UInt8]) {
    self.socket = socket
    pending = first
  }

  deinit { room.deallocate() }

  /// Hands over the octets as they come, until the NIC ends it, `deadline` comes, one of `signals` does, or `body` says false: then the NIC is
  /// told, and sends what it has counted.
  public func run(
    signals: SignalDescriptor, until deadline: Instant?,
    _ body: ([UInt8]) throws(AdministrationError) -> Bool
  ) throws(AdministrationError) {
    if !pending.isEmpty, try !body(pending) { end() }
    pending = []
    let poller = try watch(signals)
    while true {
      if hasEnded, endLimit == nil { endLimit = MonotonicClock.now() + Self.patience }
      let limit = endLimit ?? deadline
      let count = poller.wait(timeout: limit.map { max($0 - MonotonicClock.now(), .zero) })
      for index in 0..<count where poller.event(index).token == Token.signal {
        while signals.next() != nil { end() }
      }
      switch ByteStream.read(socket.rawValue, into: room) {
      case .bytes(let count): if try !body(room.slice(from: 0, count: count).bytes) { end() }
      case .wouldBlock: break
      case .end: return
      case .failed(let error): throw .failed("the capture has ended: \(error)")
      }
      guard let limit, MonotonicClock.now() >= limit else { continue }
      if endLimit != nil { return }
      end()
    }
  }

  private func watch(_ signals: SignalDescriptor) throws(AdministrationError) -> Poller {
    do throws(SystemError) {
      let poller = try Poller(maximumEvents: 2)
      try poller.add(socket.rawValue, .readable, token: Token.connection)
      try poller.add(signals.rawValue, .readable, token: Token.signal)
      return poller
    } catch {
      throw .failed("\(error)")
    }
  }

  /// Says that it is enough.
  private func end() {
    guard !hasEnded else { return }
    hasEnded = true
    UnixSocket.endSending(socket.rawValue)
  }
}
