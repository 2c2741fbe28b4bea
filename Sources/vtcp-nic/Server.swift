// SPDX-License-Identifier: Apache-2.0

import Datapath
import Polling
import Timekeeping
import VhostUser

/// The program's loop: one thread, the datapath's turns and between them everything else.
final class Server {
  enum Token {
    static let listener: UInt64 = 0
    static let connection: UInt64 = 1
    static let signals: UInt64 = 2
    static let retry: UInt64 = 3
    static let deviceState: UInt64 = 4
    static let controlListener: UInt64 = 5
    static let controlConnection: UInt64 = 6
    static let controlTimer: UInt64 = 7
    static let manager: UInt64 = 8
    /// And the next few.
    static let captures: UInt64 = 16
  }

  /// Between two attempts to connect.
  static let retryInterval = Interval.milliseconds(100)
  /// Between two looks at queues whose driver does not kick.
  private static let pollInterval = Interval.microseconds(100)

  let nic: VirtualNIC
  let role: SocketRole
  let queuePairs: Int
  let offersDeviceState: Bool
  let poller: Poller
  let log: Log
  private let signals: SignalDescriptor
  let retryTimer: TimerDescriptor
  var listener: OwnedDescriptor?
  var connection: OwnedDescriptor?
  var backEnd: BackEnd?
  var isCongested = false
  private var busyPoll: BusyPoll
  /// Of `VirtualNIC.bulkBytes`, when the last period without work began.
  private var bytesSeen = 0
  private var tuningDeadline = Instant(nanoseconds: 0)
  var isEnding = false
  private var faultsSeen: UInt64 = 0
  var toldWaiting = false
  /// By what name the socket's path can be called once the file system is out of sight; nil: not at all.
  var reachablePath: String?
  /// The same of the control socket's.
  var reachableControl: String?
  private var controlSocket: ControlSocket?
  let succession: Succession
  /// Where the manager is written to, while it does not take all.
  var watchedManager: Int32?
  var hasToldLoss = false
  private let captures: CaptureStreams
  /// Ours for as long as we run.
  var statistics: StatisticsFile?
  let counters = FrontEndCounters()

  init(
    nic: VirtualNIC, role: SocketRole, queuePairs: Int, offersDeviceState: Bool, poll: BusyPoll.Mode, poller: Poller,
    signals: SignalDescriptor, succession: Succession, log: Log
  ) throws(SystemError) {
    self.nic = nic
    self.role = role
    self.queuePairs = queuePairs
    self.offersDeviceState = offersDeviceState
    self.poller = poller
    self.signals = signals
    self.succession = succession
    self.log = log
    busyPoll = BusyPoll(mode: poll)
    retryTimer = try TimerDescriptor()
    captures = CaptureStreams(nic: nic, poller: poller, firstToken: Token.captures, log: log)
    try poller.add(signals.rawValue, .readable, token: Token.signals)
    try poller.add(retryTimer.rawValue, .readable, token: Token.retry)
  }

  /// Opens the socket. After this a front-end can connect; nothing that it sends is read before `run`. We connect to
  /// one that listens when we run: as the user who will have to do it again.
  func open() throws(SystemError) {
    if let socket = succession.takeListener() {
      try listen(socket)
      return log.info("listening on \(role.name), on the socket that was handed in")
    }
    switch role {
    case .listen(let path):
      let socket = try UnixSocket.listen(path: path)
      succession.keepListener(socket)
      try listen(socket)
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
    case .connect, .handed: break
    }
  }

  private func listen(_ socket: OwnedDescriptor) throws(SystemError) {
    listener = socket
    try poller.add(socket.rawValue, .readable, token: Token.listener)
  }

  /// Runs until a signal ends it, or the only connection that was handed in is over.
  func run() {
    resume()
    if case .handed = role, listener == nil, backEnd == nil {
      log.error("there is no connection to go on with, and no socket to listen at")
      isEnding = true
    }
    connect()
    while !isEnding {
      let now = MonotonicClock.now()
      if succession.isHandingOver, succession.mayLeave(now: now) {
        captures.end(now: now)
        return log.notice("handed over")
      }
      var isMoreToDo = nic.turn(now: now)
      if captures.count > 0, captures.turned(now: now) { isMoreToDo = true }
      if nic.tunesLargeSends, now >= tuningDeadline {
        tuningDeadline = now + VirtualNIC.tuningInterval
        nic.tuneLargeSends(now: now, processorTime: ProcessorClock.now())
      }
      checkMemory()
      if let controlSocket, !controlSocket.turned() { closeControl() }
      tellManager()
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
    captures.end(now: MonotonicClock.now())
    closeConnection()
    succession.forgetAll(poller)
    if case .listen(let path) = role, let reachablePath, succession.ownsSocketName { removeName(reachablePath, path) }
    if let controlSocket, controlSocket.ownsName, let reachableControl {
      removeName(reachableControl, controlSocket.path)
    }
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
        handle(event.token, event.ready)
      }
    }
    return count
  }

  private func handle(_ token: UInt64, _ ready: Poller.Interest) {
    switch token {
    case Token.listener: accept()
    case Token.connection: messagesArrived()
    case Token.signals: handleSignals()
    case Token.manager: managerReady()
    case Token.deviceState: backEnd?.stateTransferReady()
    case Token.controlListener: acceptControl()
    case Token.controlConnection:
      if let controlSocket, !controlSocket.ready() { closeControl() }
    case Token.controlTimer:
      if let controlSocket, !controlSocket.timeout() { closeControl() }
    case Token.retry:
      retryTimer.drain()
      connect()
    default: _ = captures.ready(token, ready)
    }
  }

  private func handleSignals() {
    while let signal = signals.next() {
      switch signal {
      case SignalDescriptor.terminate, SignalDescriptor.interrupt: isEnding = true
      case SignalDescriptor.user1:
        nic.logCounters()
        logFrontEndCounters()
      case SignalDescriptor.user2: handOver()
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
    if let (request, connection) = controlSocket.takeCapture() {
      captures.begin(request, over: connection, now: MonotonicClock.now())
    }
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

// MARK: - What goes wrong, and figures

extension Server {
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
