// SPDX-License-Identifier: Apache-2.0

import Polling
import Timekeeping
import VhostUser

/// Going on where the process before us stopped, and leaving what the next one needs.
extension Server {
  /// Goes on with the connection to the front-end, if there is one that is not in doubt; then tells the manager that we are ready.
  func resume() {
    if let socket = succession.takeConnection() { resume(socket) }
    if backEnd == nil { succession.keeper.end() }
    let others = succession.handed.names
    if !others.isEmpty { log.debug("handed in and of no use: \(others.joined(separator: " "))") }
    succession.handed = HandedDescriptors()
    succession.descriptors.forgetOthers()
    succession.descriptors.say("READY=1")
    tellManager()
  }

  private func resume(_ socket: OwnedDescriptor) {
    do {
      let backEnd = try begin(with: socket, isResuming: true)
      try backEnd.resume(&succession.handed)
      if let listener { poller.remove(listener.rawValue) }
      backEnd.settle()
      log.notice(
        "goes on with the front-end's connection, \(succession.age.nanoseconds / 1000) us after the start; "
          + "resumed \(succession.keeper.resumedCount) times")
    } catch {
      log.warning("the front-end has to connect again, its connection can't be gone on with: \(error)")
      closeConnection(guestStays: true)
    }
  }

  /// What the manager does not know yet. Once a turn.
  func tellManager() {
    if let manager = succession.takeManager() {
      watchManager(nil)
      succession.keeper.begin()
      succession.descriptors.use(manager)
      succession.descriptors.say("READY=1")
      hasToldLoss = false
    }
    guard succession.descriptors.isWaiting else { return watchManager(nil) }
    managerReady()
  }

  /// The manager takes something.
  func managerReady() {
    succession.descriptors.flush()
    backEnd?.settle()
    tellLostManager()
    watchManager(succession.descriptors.isWaiting ? succession.descriptors.writableDescriptor : nil)
  }

  private func tellLostManager() {
    guard let failure = succession.descriptors.failure, !hasToldLoss else { return }
    hasToldLoss = true
    log.error(
      "nobody keeps our descriptors any more (\(failure)): if this process ends without warning, the front-end has to "
        + "connect again")
  }

  private func watchManager(_ descriptor: Int32?) {
    guard descriptor != watchedManager else { return }
    if let watchedManager { poller.remove(watchedManager) }
    watchedManager = nil
    guard let descriptor else { return }
    do throws(SystemError) {
      try poller.add(descriptor, .writable, token: Token.manager)
      watchedManager = descriptor
    } catch {
      log.error("the manager can't be watched: \(error)")
    }
  }

  /// SIGUSR2.
  func handOver() {
    guard !succession.handOver() else { return }
    log.warning("SIGUSR2: nobody keeps our descriptors ($NOTIFY_SOCKET), so nothing can be handed over; not ended")
  }
}
