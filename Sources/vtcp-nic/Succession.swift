// SPDX-License-Identifier: Apache-2.0

import Arena
import Polling
import Timekeeping
import VhostUser

/// What this process has from the one before it, and what it leaves to the next: docs/keeping.md, docs/decisions/0026.
final class Succession {
  /// By what names descriptors are kept; those of a front-end's session are `BackEnd`'s.
  private enum Name {
    static let state = "state"
    static let listener = "listener"
    static let uplink = "uplink"
    static let connection = "connection"
    static let control = "control"
  }

  /// A message that the front-end does not finish is waited for so long.
  private static let patience = Interval.seconds(1)
  /// So long a manager may take to hear that nothing is to be kept any more.
  private static let farewell = Interval.seconds(1)

  let descriptors: DescriptorKeeper
  let keeper: SessionKeeper
  private let arena: Arena
  /// What was handed in and nobody has taken yet.
  var handed: HandedDescriptors
  /// Who keeps everything from the next turn on.
  private var nextManager: NotifySocket?
  private var handOverDeadline: Instant?
  private let log: Log
  private let started: Instant

  init(
    _ handed: HandedDescriptors, state: OwnedDescriptor, arena: Arena, manager: NotifySocket?, names: [String],
    started: Instant, log: Log
  ) {
    self.handed = handed
    self.arena = arena
    self.log = log
    self.started = started
    descriptors = DescriptorKeeper(manager, stored: names)
    keeper = SessionKeeper(over: arena.session, vringCount: arena.queueCount, descriptors: descriptors)
    descriptors.adopt(state, as: Name.state)
  }

  // MARK: - What was handed in

  /// The listening socket of the process before us, or of whoever started us; nil: there is none.
  func takeListener() -> OwnedDescriptor? {
    guard let socket = handed.take(Name.listener) else { return nil }
    guard UnixSocket.isListening(socket.rawValue) else {
      log.warning("the descriptor 'listener' that was handed in does not listen")
      return nil
    }
    EventDescriptor.setNonBlocking(socket.rawValue)
    descriptors.adopt(socket, as: Name.listener)
    return socket
  }

  /// The socket of --control-socket, if whoever started us listens there; nil: we do so ourselves.
  func takeControl() -> OwnedDescriptor? {
    guard let socket = handed.take(Name.control) else { return nil }
    guard UnixSocket.isListening(socket.rawValue) else {
      log.warning("the descriptor 'control' that was handed in does not listen")
      return nil
    }
    EventDescriptor.setNonBlocking(socket.rawValue)
    descriptors.adopt(socket, as: Name.control)
    return socket
  }

  /// The connection to a front-end that can be gone on with; nil: there is none, or it is in doubt.
  func takeConnection() -> OwnedDescriptor? {
    let socket = handed.take(Name.connection)
    if keeper.isWhole, let socket { return socket }
    if keeper.wasInterrupted, socket != nil {
      log.notice("the process before this one ended in the midst of a message: the front-end has to connect again")
    }
    return nil
  }

  /// Whether a connection, or a listener, was handed in.
  static func hasSocket(_ names: Set<String>) -> Bool {
    names.contains(Name.listener) || names.contains(Name.connection)
  }
  static func hasState(_ names: Set<String>) -> Bool { names.contains(Name.state) }
  static func hasUplink(_ names: Set<String>) -> Bool { names.contains(Name.uplink) }

  static func takeState(_ handed: inout HandedDescriptors) -> OwnedDescriptor? { handed.take(Name.state) }
  static func takeUplink(_ handed: inout HandedDescriptors) -> [OwnedDescriptor] { handed.takeAll(Name.uplink) }

  // MARK: - What is kept

  func keepUplink(_ uplink: [OwnedDescriptor], wasHanded: Bool) {
    for (index, descriptor) in uplink.enumerated() {
      let name = uplink.count == 1 ? Name.uplink : "\(Name.uplink)-\(index)"
      if wasHanded { descriptors.adopt(descriptor, as: name) } else { descriptors.keep(descriptor, as: name) }
    }
  }

  /// We made this one, and its name.
  func keepListener(_ socket: OwnedDescriptor) {
    arena.ownsSocketName = true
    descriptors.keep(socket, as: Name.listener)
  }

  var ownsSocketName: Bool { arena.ownsSocketName }

  /// How many processes have worked with the state, this one among them.
  var generation: UInt64 { arena.generation }

  /// Whether a process that starts after our end goes on where we stopped.
  var isKept: Bool { descriptors.isSettled && !keeper.wasInterrupted }

  /// Since the start of the program.
  var age: Interval { MonotonicClock.now() - started }

  // MARK: - Another manager

  /// Has everything kept by another one from the next turn on.
  func use(_ manager: NotifySocket) { nextManager = manager }

  /// The manager to be used from now on, once.
  func takeManager() -> NotifySocket? {
    defer { nextManager = nil }
    return nextManager
  }

  // MARK: - The end

  /// Ends soon, and leaves everything to the next process. False: nobody keeps anything.
  func handOver() -> Bool {
    guard descriptors.hasManager else { return false }
    handOverDeadline = handOverDeadline ?? MonotonicClock.now() + Self.patience
    return true
  }

  var isHandingOver: Bool { handOverDeadline != nil }

  /// Whether it is time to go: all is kept, or will not be.
  func mayLeave(now: Instant) -> Bool {
    guard let handOverDeadline else { return false }
    return isKept || now >= handOverDeadline
  }

  /// The end for good: nothing is to be kept any more.
  func forgetAll(_ poller: Poller) {
    guard descriptors.hasManager else { return }
    descriptors.forgetAll()
    descriptors.say("STOPPING=1")
    guard !descriptors.flush(), let descriptor = descriptors.writableDescriptor else { return }
    do throws(SystemError) {
      poller.remove(descriptor)
      try poller.add(descriptor, .writable, token: Server.Token.manager)
      let end = MonotonicClock.now() + Self.farewell
      while !descriptors.flush(), descriptors.hasManager, MonotonicClock.now() < end {
        _ = poller.wait(timeout: end - MonotonicClock.now())
      }
    } catch {
      log.warning("some descriptors stay with the manager: \(error)")
    }
  }
}
