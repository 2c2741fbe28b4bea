// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import HostSystem
import Polling
import Timekeeping

/// One NIC: its sockets, its uplink, its program, and all that the next program needs to go on where this one stops.
///
/// ## Theory of operation
///
/// `prepare` opens what takes privileges: the socket that QEMU connects to, the uplink. `start` starts a vtcp-nic with these and with everything that
/// the one before gave into keeping (`DescriptorStore`), by systemd's own protocol (docs/decisions/0026). When it dies, `ended` starts the next one, at once or
/// later (`RestartPlan`). A service that was started anew finds NICs that run, and asks each to give everything into its keeping (`adopt`).
final class SupervisedNIC {
  /// How it is.
  enum Phase {
    /// Started, and not ready yet.
    case starting
    case running
    /// Died, and is started again later.
    case waiting
    /// It runs since before us, and is asked to give us everything.
    case adopting
    /// It can't be started, and is tried again.
    case failed(String)
    /// It runs, and can't be watched: it does not answer.
    case unwatched(String)
    /// It is to end.
    case ending
    case ended
  }

  let name: NICName
  let environment: NICEnvironment
  /// As whom it runs; nil: as we do.
  let user: UInt32?
  var settings: NICSettings
  private(set) var phase = Phase.ended
  var store: DescriptorStore<OwnedDescriptor>
  var plan: RestartPlan
  let control: NICControl
  var process: HostProcess?
  var processWatch: EventLoop.Watch?
  var notify: NotifyListener?
  var notifyWatch: EventLoop.Watch?
  /// Of an adopted one: it was handed a socket in place of the named one.
  var keeper: NotifyListener?
  var keeperWatch: EventLoop.Watch?
  var timer: EventLoop.Watch?
  /// What it says of itself.
  var statusText: String?
  /// How many programs there were.
  var starts = 0
  var startedAt: Instant?
  /// How the last program ended.
  var lastEnd: String?
  /// The next end is wanted, and no death.
  var isHandingOver = false
  var policy = NICPolicyState()
  var removal: (() -> Void)?
  private var whenSettled: [(Result<Void, ServiceError>) -> Void] = []

  init(name: NICName, settings: NICSettings, user: UInt32?, environment: NICEnvironment) {
    self.name = name
    self.settings = settings
    self.user = user
    self.environment = environment
    store = DescriptorStore(
      limit: DescriptorStore<OwnedDescriptor>.limit(
        queuePairs: settings.queuePairs ?? environment.configuration.queuePairs))
    plan = RestartPlan(rules: environment.configuration.restart)
    control = NICControl(path: environment.paths.control(name), loop: environment.loop)
  }

  var paths: RunPaths { environment.paths }
  var mode: String { settings.mode ?? environment.configuration.mode }

  /// Calls `body` when it runs, or when it can't.
  func settled(_ body: @escaping (Result<Void, ServiceError>) -> Void) {
    whenSettled.append(body)
    tellSettled()
  }

  func enter(_ phase: Phase) {
    self.phase = phase
    tellSettled()
  }

  private func tellSettled() {
    let result: Result<Void, ServiceError>
    switch phase {
    case .starting, .adopting: return
    case .waiting:
      result = .failure(
        ServiceError(
          .conflict, "NIC \(name): vtcp-nic \(lastEnd ?? "has ended"), again; it is tried further (see the log)"))
    case .running, .ended, .ending: result = .success(())
    case .failed(let why), .unwatched(let why): result = .failure(ServiceError(.conflict, why))
    }
    let all = whenSettled
    whenSettled = []
    for body in all { body(result) }
  }

  var isRunning: Bool {
    if case .running = phase { return true }
    return false
  }

  func tell(_ event: String, _ text: String) {
    environment.tell(ServiceEvent(event, name, text))
  }
}
