// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import HostSystem
import Polling
import Timekeeping

extension SupervisedNIC {
  private static let backlog: Int32 = 4
  /// Between two attempts to open what can't be opened.
  private static let retryInterval = Interval.seconds(10)

  /// Opens what a NIC of these settings works with. Nothing is left open if something can't be.
  func prepare() throws(ServiceError) {
    try paths.check(name)
    var opened = store
    opened.removeAll()
    let access = FileAccess(mode: 0o660, group: environment.identities.socketGroup)
    let nicOwned = FileAccess(mode: 0o600, user: user)
    do throws(SystemError) {
      // What a predecessor left there; a NIC could be another user, and not be able to.
      for path in [paths.control(name), paths.statistics(name), paths.notify(name)] { try HostFile.remove(path) }
      opened.store(
        [try HostSocket.listen(path: paths.socket(name), backlog: Self.backlog, access: access)], name: "listener")
      // Ours, since only we ask there; of a user of its own it would be out of our reach.
      opened.store(
        [try HostSocket.listen(path: paths.control(name), backlog: Self.backlog, access: FileAccess(mode: 0o600))],
        name: "control")
      notifyWatch = nil
      notify = try NotifyListener(path: paths.notify(name), access: nicOwned)
    } catch {
      removeSockets()
      throw ServiceError(.conflict, "NIC \(name): \(error)")
    }
    do throws(ServiceError) {
      let uplink = try UplinkOpening.open(name, settings, environment.configuration)
      for (index, descriptor) in uplink.descriptors.enumerated() {
        opened.store([descriptor], name: uplink.descriptors.count == 1 ? "uplink" : "uplink-\(index)")
      }
    } catch {
      removeSockets()
      throw error
    }
    store = opened
    watchNotify()
  }

  private func removeSockets() {
    notify = nil
    for path in [paths.socket(name), paths.control(name), paths.notify(name)] { try? HostFile.remove(path) }
  }

  private func watchNotify() {
    guard let notify else { return }
    notifyWatch = try? environment.loop.watch(notify.rawValue, .readable) { [weak self] _ in
      self?.takeMessages()
    }
  }

  /// Starts its program, with all that is kept.
  func start() {
    do throws(ServiceError) {
      // It was adopted, and has died since: the socket by that name is new.
      if notify == nil { try bindNotify() }
      let program = try programToStart()
      do throws(SystemError) {
        let process = try HostProcess(starting: program)
        self.process = process
        processWatch = try environment.loop.watch(process.rawValue, .readable) { [weak self] _ in self?.ended() }
      } catch {
        throw ServiceError(.failed, "NIC \(name): \(error)")
      }
    } catch {
      fail(error.failure.sentence)
      return
    }
    starts += 1
    startedAt = MonotonicClock.now()
    plan.wasStarted(now: MonotonicClock.now())
    keeper = nil
    keeperWatch = nil
    enter(.starting)
    tell("nic-started", "process \(process?.identifier ?? 0), with \(store.entries.count) descriptors")
  }

  private func bindNotify() throws(ServiceError) {
    do throws(SystemError) {
      // That of the service before us: we have its lock. Whether somebody listens can't be asked at a socket of the NIC's user.
      try HostFile.remove(paths.notify(name))
      notify = try NotifyListener(path: paths.notify(name), access: FileAccess(mode: 0o600, user: user))
      watchNotify()
    } catch {
      throw ServiceError(.failed, "NIC \(name): \(error)")
    }
  }

  private func programToStart() throws(ServiceError) -> ProgramStart {
    let configuration = environment.configuration
    let uplink = try UplinkOpening.text(name, settings, configuration)
    let policyFile = try writePolicyForStart()
    let command = NICCommand(
      name: name, settings: settings, configuration: configuration, uplink: uplink,
      descriptorNames: store.entries.map(\.name), policy: policyFile)
    var program = ProgramStart(path: environment.program)
    program.arguments = command.arguments
    program.environment = command.environment
    program.descriptors = store.entries.map(\.descriptor)
    program.user = user
    program.group = user == nil ? nil : environment.identities.nicGroup ?? user
    program.fileLimit = UInt64(configuration.fileLimit)
    program.memoryLimit = configuration.memoryLimit
    if let directory = configuration.controlGroupDirectory {
      do throws(SystemError) {
        program.controlGroup = try controlGroup(directory, configuration)
      } catch {
        throw ServiceError(.failed, "NIC \(name): nics.controlGroup: \(error)")
      }
    }
    return program
  }

  private func controlGroup(_ directory: String, _ configuration: ServiceConfiguration) throws(SystemError)
    -> OwnedDescriptor
  {
    let own = "\(directory)/\(name)"
    try HostFile.makeDirectory(own, access: FileAccess(mode: 0o755))
    return try HostFile.openToWrite("\(own)/cgroup.procs")
  }

  /// It can't be started: it is tried again.
  func fail(_ why: String) {
    environment.log.error(why)
    tell("nic-failed", why)
    enter(.failed(why))
    timer = environment.loop.after(Self.retryInterval) { [weak self] in self?.retry() }
  }

  private func retry() {
    if store.contains(name: "listener") { return start() }
    do throws(ServiceError) {
      try prepare()
      start()
    } catch {
      fail(error.failure.sentence)
    }
  }

  // MARK: - What it says

  /// Messages of both sockets: the named one, and that of an adopted one.
  func takeMessages() {
    for listener in [notify, keeper] {
      guard let listener else { continue }
      do throws(SystemError) {
        while let datagram = try listener.next() { take(datagram) }
      } catch {
        environment.log.error("NIC \(name): \(error)")
      }
    }
  }

  private func take(_ datagram: NotifyDatagram) {
    if case .adopting = phase, process == nil, let sender = datagram.sender { watchAdopted(sender) }
    // Only the NIC itself is listened to, by the kernel's word: its number is not another's as long as it is not reaped.
    guard let process, datagram.sender == process.identifier else { return }
    guard !datagram.isTruncated else {
      environment.log.error("NIC \(name): a message that does not fit was not taken: too many open files?")
      return
    }
    let message = NotifyMessage(parsing: datagram.bytes)
    let refused = store.refused
    store.take(message, descriptors: datagram.descriptors)
    if store.refused > refused {
      environment.log.error("NIC \(name): keeps more than \(store.limit) descriptors; not taken")
    }
    if let status = message.status { statusText = status }
    if message.isReady { becameReady() }
  }

  private func becameReady() {
    switch phase {
    case .starting, .adopting: break
    case .running, .waiting, .failed, .unwatched, .ending, .ended: return
    }
    timer = nil
    enter(.running)
    tell("nic-ready", "process \(process?.identifier ?? 0), \(store.entries.count) descriptors kept")
    updatePolicy()
  }

  // MARK: - The end of its program

  /// It has ended.
  func ended() {
    // What it gave into keeping before counts.
    takeMessages()
    let end: HostProcess.End
    do throws(SystemError) {
      guard let found = try process?.end() else { return }
      end = found
    } catch {
      end = .unknown
    }
    let wasExpected = isHandingOver
    isHandingOver = false
    processWatch = nil
    process = nil
    timer = nil
    lastEnd = "\(end)"
    control.giveUp("the NIC \(end)")
    if case .ending = phase { return finishRemoval() }
    guard !wasExpected else {
      tell("nic-handed-over", "\(end)")
      return start()
    }
    let decision = plan.died(now: MonotonicClock.now())
    let then =
      decision.delay == .zero ? "started anew at once" : "started anew in \(decision.delay.nanoseconds / 1_000_000) ms"
    let how = decision.start == .clean ? ", without the front-end's session" : ""
    environment.log.error("NIC \(name): vtcp-nic \(end); \(then)\(how)")
    tell("nic-died", "\(end); \(then)\(how)")
    if decision.start == .clean { store.dropSession() }
    guard decision.delay > .zero else { return start() }
    enter(.waiting)
    timer = environment.loop.after(decision.delay) { [weak self] in self?.start() }
  }

  // MARK: - Ending it

  private static let endPatience = Interval.seconds(3)

  /// Ends it for good; `done` when its program has gone and its files are away.
  func remove(_ done: @escaping () -> Void) {
    removal = done
    timer = nil
    guard let process else { return finishRemoval() }
    enter(.ending)
    process.send(signal: HostProcess.terminate)
    timer = environment.loop.after(Self.endPatience) { [weak self] in
      guard let self, let process = self.process else { return }
      environment.log.warning("NIC \(name): does not end at SIGTERM, and is killed")
      process.send(signal: HostProcess.kill)
    }
  }

  private func finishRemoval() {
    notifyWatch = nil
    notify = nil
    keeperWatch = nil
    keeper = nil
    store.removeAll()
    for path in [
      paths.socket(name), paths.control(name), paths.statistics(name), paths.notify(name), paths.policy(name),
    ] { try? HostFile.remove(path) }
    if let directory = environment.configuration.controlGroupDirectory {
      try? HostFile.removeDirectory("\(directory)/\(name)")
    }
    enter(.ended)
    tell("nic-removed", "its program \(lastEnd ?? "did not run")")
    let done = removal
    removal = nil
    done?()
  }

  /// SIGUSR2: it gives everything into keeping, ends, and the next one goes on, of the program that is there then.
  func handOver() -> Bool {
    guard isRunning, let process else { return false }
    isHandingOver = true
    process.send(signal: HostProcess.user2)
    timer = environment.loop.after(Self.endPatience) { [weak self] in
      guard let self, isHandingOver, let process = self.process else { return }
      environment.log.warning("NIC \(name): does not hand over, and is killed; the next one goes on all the same")
      process.send(signal: HostProcess.kill)
    }
    return true
  }
}
