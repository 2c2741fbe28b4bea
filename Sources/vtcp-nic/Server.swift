// SPDX-License-Identifier: Apache-2.0

import Datapath
import Polling
import Timekeeping
import VhostUser

/// The program's loop: one thread, the datapath's turns and between them everything else.
final class Server {
  private enum Token {
    static let listener: UInt64 = 0
    static let connection: UInt64 = 1
    static let signals: UInt64 = 2
    static let retry: UInt64 = 3
    static let deviceState: UInt64 = 4
    static let controlListener: UInt64 = 5
    static let controlConnection: UInt64 = 6
    static let controlTimer: UInt64 = 7
  }

  /// Between two attempts to connect.
  private static let retryInterval = Interval.milliseconds(100)
  /// Between two looks at queues whose driver does not kick.
  private static let pollInterval = Interval.microseconds(100)

  private let nic: VirtualNIC
  private let role: SocketRole
  private let queuePairs: Int
  private let offersDeviceState: Bool
  private let poller: Poller
  private let log: Log
  private let signals: SignalDescriptor
  private let retryTimer: TimerDescriptor
  private var listener: OwnedDescriptor?
  private var connection: OwnedDescriptor?
  private var backEnd: BackEnd?
  private var isCongested = false
  private var busyPoll: BusyPoll
  /// Of `VirtualNIC.bulkBytes`, when the last period without work began.
  private var bytesSeen = 0
  private var tuningDeadline = Instant(nanoseconds: 0)
  private var isEnding = false
  private var faultsSeen: UInt64 = 0
  private var toldWaiting = false
  /// By what name the socket's path can be called once the file system is out of sight; nil: not at all.
  var reachablePath: String?
  /// The same of the control socket's.
  var reachableControl: String?
  private var controlSocket: ControlSocket?
  /// Ours for as long as we run.
  var statistics: StatisticsFile?
  private let counters = FrontEndCounters()

  init(
    nic: VirtualNIC, role: SocketRole, queuePairs: Int, offersDeviceState: Bool, poll: BusyPoll.Mode, poller: Poller,
    signals: SignalDescriptor,
    log: Log
  ) throws(SystemError) {
    self.nic = nic
    self.role = role
    self.queuePairs = queuePairs
    self.offersDeviceState = offersDeviceState
    self.poller = poller
    self.signals = signals
    self.log = log
    busyPoll = BusyPoll(mode: poll)
    retryTimer = try TimerDescriptor()
    try poller.add(signals.rawValue, .readable, token: Token.signals)
    try poller.add(retryTimer.rawValue, .readable, token: Token.retry)
  }

  /// Opens the socket. After this a front-end can connect; nothing that it sends is read before `run`. We connect to
  /// one that listens when we run: as the user who will have to do it again.
  func open() throws(SystemError) {
    switch role {
    case .listen(let path):
      try listen(UnixSocket.listen(path: path))
      log.info("listening on \(path)")
    case .descriptor(let number):
      let socket = OwnedDescriptor(number)
      EventDescriptor.setNonBlocking(number)
      if UnixSocket.isListening(number) {
        try listen(socket)
        log.info("listening on descriptor \(number)")
      } else {
        try serve(socket)
      }
    case .connect: break
    }
  }

  private func listen(_ socket: OwnedDescriptor) throws(SystemError) {
    listener = socket
    try poller.add(socket.rawValue, .readable, token: Token.listener)
  }

  /// Runs until a signal ends it, or the only connection that was handed in is over.
  func run() {
    connect()
    while !isEnding {
      let now = MonotonicClock.now()
      let isMoreToDo = nic.turn(now: now)
      if nic.tunesLargeSends, now >= tuningDeadline {
        tuningDeadline = now + VirtualNIC.tuningInterval
        nic.tuneLargeSends(now: now, processorTime: ProcessorClock.now())
      }
      checkMemory()
      if let controlSocket, !controlSocket.turned() { closeControl() }
      if isMoreToDo {
        // Queues that ran empty in an earlier turn were not asked for kicks again: that is done before sleeping only.
        _ = nic.hasWork()
        handleEvents(timeout: .zero)
      } else if busyPoll.mode == .always {
        _ = nic.lookForWork(rounds: 16)
        handleEvents(timeout: .zero)
      } else {
        awaitWork()
      }
    }
    closeConnection()
    if case .listen(let path) = role, let reachablePath { removeName(reachablePath, path) }
    if let controlSocket, let reachableControl { removeName(reachableControl, controlSocket.path) }
  }

  private func removeName(_ name: String, _ path: String) {
    do throws(SystemError) {
      try UnixSocket.removeName(name)
    } catch {
      log.info("\(path) stays, and the next start replaces it: \(error)")
    }
  }

  /// Looks for work for a moment if that pays, and sleeps until there is some.
  private func awaitWork() {
    let start = MonotonicClock.now()
    let bytes = nic.bulkBytes
    if !lookForWork(until: start + busyPoll.span), !nic.prepareToSleep() { sleep(start) }
    busyPoll.ended(after: MonotonicClock.now() - start, bulkBytes: bytes &- bytesSeen)
    bytesSeen = bytes
  }

  private func sleep(_ now: Instant) {
    var timeout = nic.needsPolling ? Self.pollInterval : nil
    if let deadline = nic.notificationDeadline {
      let rest = max(deadline - now, .microseconds(1))
      timeout = min(rest, timeout ?? rest)
    }
    handleEvents(timeout: timeout)
    if nic.needsPolling { _ = nic.hasWork() }
  }

  /// True if there is some.
  private func lookForWork(until end: Instant) -> Bool {
    guard busyPoll.span > .zero else { return false }
    repeat {
      if nic.lookForWork(rounds: 16) || handleEvents(timeout: .zero) > 0 { return true }
    } while MonotonicClock.now() < end
    return false
  }

  @discardableResult
  private func handleEvents(timeout: Interval?) -> Int {
    let count = poller.wait(timeout: timeout)
    for index in 0..<count {
      let event = poller.event(index)
      if let ready = VirtualNIC.Event(token: event.token) {
        nic.ready(ready)
      } else {
        handle(event.token)
      }
    }
    return count
  }

  private func handle(_ token: UInt64) {
    switch token {
    case Token.listener: accept()
    case Token.connection: messagesArrived()
    case Token.signals: handleSignals()
    case Token.deviceState: backEnd?.stateTransferReady()
    case Token.controlListener: acceptControl()
    case Token.controlConnection:
      if let controlSocket, !controlSocket.ready() { closeControl() }
    case Token.controlTimer:
      if let controlSocket, !controlSocket.timeout() { closeControl() }
    case Token.retry:
      retryTimer.drain()
      connect()
    default: break
    }
  }

  private func handleSignals() {
    while let signal = signals.next() {
      switch signal {
      case SignalDescriptor.terminate, SignalDescriptor.interrupt: isEnding = true
      case SignalDescriptor.user1:
        nic.logCounters()
        logFrontEndCounters()
      default: break
      }
    }
  }
}

// MARK: - The control socket

extension Server {
  /// Lets others change what we do while we run.
  func control(by socket: ControlSocket) throws(SystemError) {
    controlSocket = socket
    try poller.add(socket.listenerDescriptor, .readable, token: Token.controlListener)
    try poller.add(socket.timerDescriptor, .readable, token: Token.controlTimer)
  }

  private func acceptControl() {
    guard let controlSocket, let connection = controlSocket.accept() else { return }
    // The next one waits until this one has gone.
    poller.remove(controlSocket.listenerDescriptor)
    watchControl(connection, Token.controlConnection)
  }

  private func closeControl() {
    guard let controlSocket, let connection = controlSocket.connectionDescriptor else { return }
    poller.remove(connection)
    controlSocket.close()
    watchControl(controlSocket.listenerDescriptor, Token.controlListener)
  }

  private func watchControl(_ descriptor: Int32, _ token: UInt64) {
    do throws(SystemError) {
      try poller.add(descriptor, .readable, token: token)
    } catch {
      log.error("--control-socket: \(error)")
    }
  }
}

// MARK: - The connection

extension Server {
  private func accept() {
    guard backEnd == nil, let listener else { return }
    do throws(SystemError) {
      guard let socket = try UnixSocket.accept(listener.rawValue) else { return }
      // The next front-end waits in the backlog until this one has gone.
      poller.remove(listener.rawValue)
      try serve(socket)
    } catch {
      log.error("\(error)")
    }
  }

  private func connect() {
    guard backEnd == nil, case .connect(let path) = role, let reachablePath else { return }
    do throws(SystemError) {
      try serve(UnixSocket.connect(path: reachablePath))
      toldWaiting = false
    } catch {
      if !toldWaiting { log.info("waiting for the front-end at \(path): \(error)") }
      toldWaiting = true
      retryTimer.arm(after: Self.retryInterval)
    }
  }

  private func serve(_ socket: OwnedDescriptor) throws(SystemError) {
    try poller.add(socket.rawValue, .readable, token: Token.connection)
    connection = socket
    backEnd = BackEnd(
      connection: socket, device: nic, memory: nic.memory, vringCount: VirtualNIC.queueCount(queuePairs: queuePairs),
      queueLimit: 2 * queuePairs, poller: poller, stateToken: Token.deviceState,
      offersDeviceState: offersDeviceState, counters: counters, log: log)
    log.notice("a front-end has connected")
  }

  private func messagesArrived() {
    guard let backEnd else { return }
    switch backEnd.messagesArrived() {
    case .goOn: watchConnection(backEnd)
    case .closed:
      log.notice("the front-end has gone")
      closeConnection()
      awaitNext()
    case .broken(let why):
      log.warning("the connection to the front-end is closed: \(why)")
      closeConnection()
      awaitNext()
    }
  }

  /// While replies wait to be read nothing is taken from the front-end.
  private func watchConnection(_ backEnd: BackEnd) {
    guard backEnd.isCongested != isCongested, let connection else { return }
    isCongested = backEnd.isCongested
    do throws(SystemError) {
      try poller.modify(connection.rawValue, isCongested ? .writable : .readable, token: Token.connection)
    } catch {
      log.error("\(error)")
    }
  }

  private func closeConnection() {
    guard let backEnd else { return }
    if let connection { poller.remove(connection.rawValue) }
    backEnd.close()
    self.backEnd = nil
    connection = nil
    isCongested = false
  }

  private func awaitNext() {
    switch role {
    case .connect: retryTimer.arm(after: Self.retryInterval)
    case .listen, .descriptor:
      guard let listener else {
        isEnding = true
        return
      }
      do throws(SystemError) {
        try poller.add(listener.rawValue, .readable, token: Token.listener)
      } catch {
        log.error("\(error)")
        isEnding = true
      }
    }
  }

  private func logFrontEndCounters() {
    log.info(
      "front-end connections=\(counters.connections) requests=\(counters.requests) "
        + "refused=\(counters.refusedRequests) broken=\(counters.brokenConnections) "
        + "shortened-memory=\(counters.shortenedMemory)")
  }

  /// The front-end took away memory that it had given us: the zeroes that we see instead mean nothing.
  private func checkMemory() {
    statistics?.tellLoss(log)
    let faults = MemoryGuard.faultCount &+ nic.memoryFaults
    guard faults != faultsSeen else { return }
    faultsSeen = faults
    guard backEnd != nil else { return }
    counters.shortenedMemory &+= 1
    log.error("the front-end has shortened a memory file that is in use; the connection is closed")
    closeConnection()
    awaitNext()
  }
}
