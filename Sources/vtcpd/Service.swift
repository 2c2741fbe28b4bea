// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import HostSystem
import Polling
import Timekeeping

/// vtcpd: the NICs of a host, what each is started with, and what it is to do.
///
/// ## Theory of operation
///
/// One thread and one `EventLoop`. What is to be decided is decided in the target `HostService`, without I/O; here it is done. Each NIC is a process of its own
/// (`SupervisedNIC`), which does not need us to go on: frames never pass through here. `ControlServer` brings requests, `PolicyKeeper` has the policy.
/// Nothing waits for a NIC, a reader or a client; what takes long goes on by callbacks.
final class Service {
  let configuration: ServiceConfiguration
  let environment: NICEnvironment
  let loop: EventLoop
  let log: Log
  let policy: PolicyKeeper
  let manager: ServiceManager
  let started = MonotonicClock.now()
  var nics: [NICName: SupervisedNIC] = [:]
  var isShuttingDown = false
  /// Which of libvirt's domains have just ended.
  var claims = DomainClaims()
  private let signals: SignalDescriptor
  private let lock: OwnedDescriptor
  private var ports: PortFiles { PortFiles(paths: configuration.paths) }
  private var server: ControlServer?
  private var signalWatch: EventLoop.Watch?
  private var overrideTimer: EventLoop.Watch?
  private var deadline: EventLoop.Watch?

  /// Makes its directories, takes its lock and reads what there is. Nothing runs yet.
  init(
    configuration: ServiceConfiguration, program: String, identities: Identities, signals: SignalDescriptor,
    manager: ServiceManager, log: Log
  ) throws {
    self.configuration = configuration
    self.signals = signals
    self.manager = manager
    self.log = log
    let paths = configuration.paths
    try HostFile.makeDirectory(paths.runDirectory, access: FileAccess(mode: 0o755))
    do throws(SystemError) {
      lock = try HostFile.lock(paths.lock)
    } catch {
      guard error.code == SystemError.again else { throw error }
      throw ServiceError(
        .conflict, "another vtcpd serves \(paths.runDirectory); end it, or give another --run-directory")
    }
    guard try NamedFile.isInMemory(lock.rawValue) else {
      throw ServiceError(
        .mistaken,
        "\(paths.runDirectory) is on a disk, which would hold up frames: give a --run-directory on a tmpfs, as /run/vtcp"
      )
    }
    // NICs of users of their own make their sockets there; none may take another's away.
    let nicAccess =
      configuration.users == nil
      ? FileAccess(mode: 0o700) : FileAccess(mode: 0o1730, group: identities.nicGroup)
    try HostFile.makeDirectory(paths.nicsDirectory, access: nicAccess)
    for directory in [paths.stateDirectory, paths.portsDirectory, paths.historyDirectory] {
      try HostFile.makeDirectory(directory, access: FileAccess(mode: 0o700))
    }
    loop = try EventLoop()
    environment = NICEnvironment(
      configuration: configuration, program: program, identities: identities, loop: loop, log: log)
    policy = try PolicyKeeper(configuration, overrides: Self.loadOverrides(paths), log: log)
  }

  private static func loadOverrides(_ paths: RunPaths) -> OverrideTable {
    guard let octets = try? HostFile.read(paths.overridesFile, limit: 1 << 20),
      let value = try? JSONValue(parsing: octets)
    else { return OverrideTable() }
    return OverrideTable(value)
  }

  /// Serves until it is told to end.
  func run() throws {
    environment.tell = { [weak self] in self?.tell($0) }
    environment.policyText = { [weak self] in self?.policyText($0) }
    signalWatch = try loop.watch(signals.rawValue, .readable) { [weak self] _ in self?.signalsArrived() }
    do throws(ServiceError) {
      try policy.begin(time: WallClock.now())
    } catch {
      // The NICs are to run all the same, and it can be mended.
      log.error("\(error)")
    }
    armOverrides()
    takeUpPorts()
    let server = try ControlServer(
      path: configuration.paths.control, group: environment.identities.controlGroup,
      access: environment.identities.access,
      loop: loop, log: log
    ) { [weak self] in self?.handle($0, $1, $2) }
    self.server = server
    log.info("serving \(configuration.paths.control), \(nics.count) NICs")
    manager.ready(status: statusLine)
    loop.run()
    manager.stopping()
    try? HostFile.remove(configuration.paths.control)
  }

  var statusLine: String {
    "\(nics.values.count { $0.isRunning }) of \(nics.count) NICs run, policy \(policy.revision)"
  }

  private func tell(_ event: ServiceEvent) {
    log.debug("\(event.nic.map { "NIC \($0): " } ?? "")\(event.event): \(event.text)")
    server?.broadcast(event.json.text)
    manager.status(statusLine)
  }

  func tell(_ event: String, _ text: String, _ members: [JSONValue.Member] = []) {
    tell(ServiceEvent(event, nil, text, members))
  }

  // MARK: - Signals

  private func signalsArrived() {
    while let signal = signals.next() {
      switch signal {
      case SignalDescriptor.hangup: reloadBySignal()
      case SignalDescriptor.interrupt: shutDown()
      case SignalDescriptor.terminate:
        log.info("ends; \(nics.count) NICs go on by themselves")
        loop.stop()
      case SignalDescriptor.user1:
        log.info(statusLine)
        for nic in nics.values.sorted(by: { $0.name < $1.name }) { log.info(nic.json.text) }
      default: break
      }
    }
  }

  private func reloadBySignal() {
    manager.reloading()
    do throws(ServiceError) {
      _ = try policy.reload(user: nil, time: WallClock.now(), reason: "reload")
      log.info("the policy is revision \(policy.revision)")
      applyPolicy {}
    } catch {
      log.error("the policy in force stays: \(error)")
      tell("policy-refused", error.failure.sentence)
    }
    manager.ready(status: statusLine)
  }

  // MARK: - The end of everything

  private static let drainPatience = Interval.seconds(5)

  /// Ends the NICs and then itself: what they owe is delivered before, if that does not take long.
  func shutDown() {
    guard !isShuttingDown else {
      // Asked again: at once.
      loop.stop()
      return
    }
    isShuttingDown = true
    log.info("ends, with its \(nics.count) NICs")
    tell("shutdown", "all NICs deliver what they owe, and end")
    deadline = loop.after(Self.drainPatience + .seconds(10)) { [weak self] in self?.loop.stop() }
    var left = nics.count
    guard left > 0 else { return loop.stop() }
    for nic in nics.values {
      nic.drain(seconds: Int(Self.drainPatience.nanoseconds / 1_000_000_000)) { _ in
        nic.remove { [weak self] in
          left -= 1
          if left == 0 { self?.loop.stop() }
        }
      }
    }
  }

  // MARK: - NICs

  /// Those that were there when the last service ended: they run, or are started.
  private func takeUpPorts() {
    do throws(SystemError) {
      for (name, settings) in try ports.load(log) {
        let nic = SupervisedNIC(name: name, settings: settings, user: settings.user, environment: environment)
        nics[name] = nic
        nic.adopt()
      }
    } catch {
      log.error("the NICs of before are not known: \(error)")
    }
  }

  /// Makes a NIC, or changes one. `done` when it runs, or can't.
  func add(
    _ name: NICName, _ wanted: NICSettings, _ done: @escaping (Result<SupervisedNIC, ServiceError>) -> Void
  ) throws(ServiceError) {
    guard !isShuttingDown else { throw ServiceError(.unavailable, "vtcpd is ending") }
    try configuration.paths.check(name)
    var settings = wanted
    if let present = nics[name] {
      if case .ending = present.phase { throw ServiceError(.conflict, "NIC \(name) is being removed; try again") }
      guard !settings.startsDifferently(from: present.settings) else {
        throw ServiceError(
          .conflict, "NIC \(name) is there with other \(present.settings.differences(from: settings)); remove it first")
      }
      settings.user = present.settings.user
      try keep(name, settings)
      present.settings = settings
      present.updatePolicy()
      return present.settled { result in done(result.map { _ in present }) }
    }
    if let users = configuration.users {
      guard let user = users.free(besides: Set(nics.values.compactMap(\.user))) else {
        throw ServiceError(.conflict, "all users of nics.users (\(users.users)) have a NIC")
      }
      settings.user = user
    }
    let nic = SupervisedNIC(name: name, settings: settings, user: settings.user, environment: environment)
    try checkPolicy(of: nic)
    try nic.prepare()
    do throws(ServiceError) {
      try keep(name, settings)
    } catch {
      nic.remove {}
      throw error
    }
    nics[name] = nic
    tell("nic-added", "\(name)", [.init("nic", .string(name.text))])
    nic.start()
    nic.settled { result in done(result.map { _ in nic }) }
  }

  /// So that a service that is started anew knows it.
  func keep(_ name: NICName, _ settings: NICSettings) throws(ServiceError) {
    do throws(SystemError) {
      try ports.save(name, settings)
    } catch {
      throw ServiceError(.failed, "NIC \(name): it can't be kept: \(error)")
    }
  }

  /// Ends a NIC for good.
  func remove(_ name: NICName, _ done: @escaping () -> Void) throws(ServiceError) {
    guard let nic = nics[name] else { throw missing(name) }
    if case .ending = nic.phase { throw ServiceError(.conflict, "NIC \(name) is being removed already") }
    do throws(SystemError) {
      try ports.remove(name)
    } catch {
      throw ServiceError(.failed, "NIC \(name): \(error)")
    }
    nic.remove { [weak self] in
      self?.nics[name] = nil
      done()
    }
  }

  func missing(_ name: NICName) -> ServiceError {
    let meant = nearest(name.text, nics.keys.map(\.text)).map { "; did you mean \($0)?" } ?? ""
    return ServiceError(.notFound, "there is no NIC \(name)\(meant)")
  }

  // MARK: - Overrides end by themselves

  func armOverrides() {
    guard let next = policy.overrides.nextEnd else {
      overrideTimer = nil
      return
    }
    let rest = Interval.nanoseconds(max(next &- WallClock.now(), 0)) + .milliseconds(1)
    overrideTimer = loop.after(rest) { [weak self] in self?.endOverrides() }
  }

  private func endOverrides() {
    let over = policy.overrides.expire(now: WallClock.now())
    if !over.isEmpty {
      saveOverrides()
      for entry in over { tell("override-ended", "\(entry.key) \(entry.value) (\(entry.identifier))") }
      applyPolicy {}
    }
    armOverrides()
  }

  func saveOverrides() {
    let octets = Array((policy.overrides.json.text + "\n").utf8)
    do throws(SystemError) {
      try HostFile.write(configuration.paths.overridesFile, octets, access: FileAccess(mode: 0o600))
    } catch {
      log.error("overrides are not kept: \(error)")
    }
  }
}
