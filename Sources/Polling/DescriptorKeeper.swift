// SPDX-License-Identifier: Apache-2.0

/// The descriptors that are to outlive this process, each with a name, and whoever keeps them meanwhile: a manager at a
/// `NotifySocket`, who hands them to our successor (`HandedDescriptors`).
///
/// # Theory of operation
///
/// `keep` says what is to be kept from now on; `flush` tells the manager what it does not know yet, in the order in which it was said,
/// as far as it takes it. What waits are names and not messages, so it is bounded by what is kept. A name whose descriptor is another one
/// now is first removed: between the two datagrams, and before them, the manager does not have what we have, and `isSettled` is false.
///
/// A manager that is gone keeps nothing: nothing is settled until there is another one (`use`), which is told everything.
public final class DescriptorKeeper {
  private var socket: NotifySocket?
  private var wanted: [String: OwnedDescriptor] = [:]
  /// Names of which the manager has a descriptor.
  private var stored: Set<String>
  /// Names of which the manager has another one than is wanted, or none, or one too many; as they came.
  private var changed: [String] = []
  private var isChanged: Set<String> = []
  /// Lines to be said when all descriptors were taken.
  private var lines: [String] = []
  /// Why nothing is kept any more; taken by whoever tells it.
  public private(set) var failure: SystemError?

  /// - Parameters:
  ///   - socket: the manager; nil: there is none yet.
  ///   - stored: names of descriptors that it has from our predecessor. Who is in that and is not wanted is removed by `forgetOthers`.
  public init(_ socket: NotifySocket?, stored: [String] = []) {
    self.socket = socket
    self.stored = Set(stored)
  }

  /// Whether somebody keeps anything.
  public var hasManager: Bool { socket != nil }

  /// Whether the manager has everything that is to be kept, and nothing else of ours.
  public var isSettled: Bool { socket != nil && changed.isEmpty }

  /// Whether the manager is to be told something: wait until `writableDescriptor` is writable, then `flush`.
  public var isWaiting: Bool { socket != nil && !(changed.isEmpty && lines.isEmpty) }

  /// For the poller: where `flush` writes to.
  public var writableDescriptor: Int32? { socket?.rawValue }

  /// From now on `descriptor` is to be kept by that name; nil: none is.
  public func keep(_ descriptor: OwnedDescriptor?, as name: String) {
    guard wanted[name] !== descriptor else { return }
    wanted[name] = descriptor
    if descriptor == nil, !stored.contains(name) { return }
    change(name)
  }

  /// The same, of one that the manager handed to us and still has.
  public func adopt(_ descriptor: OwnedDescriptor, as name: String) {
    wanted[name] = descriptor
    guard !stored.contains(name) else { return }
    change(name)
  }

  /// What the manager has from our predecessor and we did not adopt is to be kept no longer.
  public func forgetOthers() {
    for name in stored.sorted() where wanted[name] == nil { change(name) }
  }

  /// Nothing is to be kept any more: we end for good.
  public func forgetAll() {
    for name in wanted.keys.sorted() { keep(nil, as: name) }
    forgetOthers()
  }

  /// Has another manager from now on, who has nothing yet.
  public func use(_ socket: NotifySocket) {
    self.socket = socket
    failure = nil
    stored = []
    changed = []
    isChanged = []
    lines = []
    for name in wanted.keys.sorted() { change(name) }
  }

  /// Says `line` behind all that is waiting. The newest counts: of one name only the last is said.
  public func say(_ line: String) {
    guard socket != nil else { return }
    let name = line.prefix { $0 != "=" }
    lines.removeAll { $0.prefix { $0 != "=" } == name }
    lines.append(line)
  }

  /// Tells the manager what it takes now. True if all was told.
  @discardableResult
  public func flush() -> Bool {
    var done = 0
    defer { changed.removeFirst(done) }
    while done < changed.count {
      guard let socket, settle(changed[done], socket) else { return false }
      isChanged.remove(changed[done])
      done += 1
    }
    while let line = lines.first {
      guard let socket, isTaken(socket.say(line)) else { return false }
      lines.removeFirst()
    }
    return socket != nil
  }

  private func change(_ name: String) {
    if isChanged.insert(name).inserted { changed.append(name) }
  }

  private func settle(_ name: String, _ socket: NotifySocket) -> Bool {
    if stored.contains(name) {
      guard isTaken(socket.remove(name: name)) else { return false }
      stored.remove(name)
    }
    guard let descriptor = wanted[name] else { return true }
    guard isTaken(socket.store(descriptor, name: name)) else { return false }
    stored.insert(name)
    return true
  }

  private func isTaken(_ outcome: NotifySocket.Outcome) -> Bool {
    switch outcome {
    case .taken: return true
    case .full: return false
    case .failed(let error):
      socket = nil
      failure = error
      return false
    }
  }
}
