// SPDX-License-Identifier: Apache-2.0

import Datapath
import Polling
import VhostUser

/// The connection to the front-end.
extension Server {
  func accept() {
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

  func connect() {
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

  func serve(_ socket: OwnedDescriptor) throws(SystemError) {
    _ = try begin(with: socket, isResuming: false)
    log.notice("a front-end has connected")
  }

  /// - Parameter isResuming: the process before us had this connection.
  func begin(with socket: OwnedDescriptor, isResuming: Bool) throws(SystemError) -> BackEnd {
    try poller.add(socket.rawValue, .readable, token: Token.connection)
    connection = socket
    let backEnd = BackEnd(
      connection: socket, device: nic, memory: nic.memory, vringCount: VirtualNIC.queueCount(queuePairs: queuePairs),
      queueLimit: 2 * queuePairs, poller: poller, stateToken: Token.deviceState,
      offersDeviceState: offersDeviceState, counters: counters, keeper: succession.keeper, isResuming: isResuming,
      log: log)
    self.backEnd = backEnd
    return backEnd
  }

  func messagesArrived() {
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

  /// - Parameter guestStays: it is to connect again, and has what it is owed until then.
  func closeConnection(guestStays: Bool = false) {
    guard let backEnd else { return }
    if let connection { poller.remove(connection.rawValue) }
    backEnd.close(guestStays: guestStays)
    self.backEnd = nil
    connection = nil
    isCongested = false
  }

  func awaitNext() {
    switch role {
    case .connect: retryTimer.arm(after: Self.retryInterval)
    case .listen, .descriptor, .handed:
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
}
