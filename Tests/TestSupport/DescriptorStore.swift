// SPDX-License-Identifier: Apache-2.0
import CTestSupport
import Foundation
import Glibc

/// A manager that keeps a program's descriptors, as systemd does for a service: what it is told at its socket, it does (sd_notify(3)).
///
/// Written from the manual page. It reads when it is asked to, or by a thread of its own as soon as something comes.
public final class DescriptorStore: @unchecked Sendable {
  public let name: String
  private var socket: Descriptor?
  private let lock = NSLock()
  private var store: [(name: String, descriptor: Descriptor)] = []
  private var said: [String] = []
  private var isReading = true

  public init(reads: Bool = true) throws {
    name = "vtcp-store-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    let socket = try Descriptor(test_abstract_datagrams(name), "socket")
    self.socket = socket
    isReading = reads
    guard reads else { return }
    Thread.detachNewThread { [weak self, socket] in
      while true {
        // Now and then, to see whether anybody still needs it.
        let isThere = socket.wait(for: POLLIN, until: Deadline(after: 0.2))
        guard let self else { return }
        if isThere { self.read() }
      }
    }
  }

  /// What is kept now.
  public var kept: [(name: String, descriptor: Descriptor)] {
    if isReading { read() }
    return lock.withLock { store }
  }

  public var names: [String] { kept.map(\.name).sorted() }

  /// Lines other than those about descriptors.
  public var lines: [String] {
    if isReading { read() }
    return lock.withLock { said }
  }

  public subscript(name: String) -> Descriptor? { kept.first { $0.name == name }?.descriptor }

  /// Forgets what it was told.
  public func forget(_ name: String) { lock.withLock { store.removeAll { $0.name == name } } }

  /// Keeps one more.
  public func add(_ name: String, _ descriptor: Descriptor) { lock.withLock { store.append((name, descriptor)) } }

  /// Whether `condition` comes true in time.
  public func wait(timeout: Double = 5, for condition: (DescriptorStore) throws -> Bool) rethrows -> Bool {
    let deadline = Deadline(after: timeout)
    while try !condition(self) {
      guard !deadline.hasPassed else { return false }
      usleep(200)
    }
    return true
  }

  /// Does all that it was told so far.
  public func read() {
    guard let socket else { return }
    lock.withLock {
      var octets = [UInt8](repeating: 0, count: 4096)
      var arrived = [Int32](repeating: -1, count: 64)
      while true {
        var count = 0
        let length = test_receive_message(socket.number, &octets, octets.count, &arrived, arrived.count, &count)
        guard length > 0 else { return }
        take(
          String(decoding: octets[..<Int(length)], as: UTF8.self),
          arrived.prefix(count).compactMap { try? Descriptor($0) })
      }
    }
  }

  /// A socket that is connected to it.
  public func connected() throws -> Descriptor {
    try Descriptor(test_connect_abstract_datagrams(name), "connect")
  }

  /// No program can tell it anything any more, before it has read.
  public func fill() throws {
    let sender = try connected()
    let octets: [UInt8] = Array("FULL=1\n".utf8)
    while test_send_message(sender.number, octets, octets.count, nil, 0) > 0 {}
  }

  /// It is there no longer. Not for one that reads by itself.
  public func close() { socket = nil }

  private func take(_ text: String, _ descriptors: [Descriptor]) {
    let lines = text.split(separator: "\n").map(String.init)
    let name = lines.first { $0.hasPrefix("FDNAME=") }.map { String($0.dropFirst(7)) } ?? "stored"
    if lines.contains("FDSTOREREMOVE=1") { store.removeAll { $0.name == name } }
    if lines.contains("FDSTORE=1") { for descriptor in descriptors { store.append((name, descriptor)) } }
    said += lines.filter { !$0.hasPrefix("FD") }
  }
}

extension DescriptorStore {
  /// What the state memory says of the session with the front-end: 0 none, 1 whole, 2 changing (docs/keeping.md).
  public func sessionState() throws -> UInt32 {
    guard let state = self["state"] else { throw TestFailure("no state is kept") }
    var offset: UInt64 = 0
    guard pread(state.number, &offset, 8, 48) == 8 else { throw TestFailure("the state is too short") }
    var word: UInt32 = 0
    guard pread(state.number, &word, 4, off_t(offset) + 4) == 4 else { throw TestFailure("no session in the state") }
    return word
  }
}
