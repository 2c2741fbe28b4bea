// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import Polling
import Timekeeping

/// Follows libvirtd for ever.
final class Watch {
  private static let firstPause = Interval.milliseconds(100)
  private static let longestPause = Interval.seconds(5)
  /// vtcpd answers at once; this program has nothing else to do.
  private static let patience = Interval.seconds(5)

  private let options: Options
  private let log: Log
  private let client: ControlClient
  private var changed = ChangedDomains()
  /// vtcpd was told of to be silent.
  private var isComplaining = false

  init(_ options: Options, _ log: Log) {
    self.options = options
    self.log = log
    client = ControlClient(path: options.controlSocket, patience: Self.patience)
  }

  func run() -> Never {
    LibvirtLoop.install()
    var pause = Self.firstPause
    while true {
      do throws(LibvirtError) {
        let connection = try LibvirtConnection(uri: options.uri)
        pause = Self.firstPause
        try follow(connection)
        log.warning("the connection to \(options.uri) has ended; trying again")
      } catch {
        log.warning("\(options.uri): \(error); trying again")
      }
      wait(pause)
      pause = min(Interval(nanoseconds: pause.nanoseconds &* 2), Self.longestPause)
    }
  }

  /// Until the connection ends.
  private func follow(_ connection: LibvirtConnection) throws(LibvirtError) {
    // First the events, then the list: what happens between is told twice rather than not at all.
    try connection.subscribe()
    try list(connection)
    log.info("connected to \(options.uri), \(changed.isEmpty ? "no domains run" : "domains run")")
    while !connection.hasEnded {
      for change in connection.takeChanges() { changed.note(change) }
      if changed.hasLost || connection.hasLost { try list(connection) }
      let now = MonotonicClock.now()
      if let uuid = changed.next(now: now) {
        tell(uuid, connection, now)
      } else {
        try LibvirtLoop.turn(until: changed.due)
      }
    }
  }

  private func list(_ connection: LibvirtConnection) throws(LibvirtError) {
    changed.forget()
    for uuid in try connection.runningDomains() { changed.note(uuid) }
  }

  private func tell(_ uuid: String, _ connection: LibvirtConnection, _ now: Instant) {
    // Nil: it has ended meanwhile, which the hook tells of.
    guard let xml = connection.xml(uuid) else { return changed.done(uuid) }
    do throws(ControlClientError) {
      let path = ControlPath(["v1", "libvirt", "metadata"], parameters: [.init("uuid", uuid)])
      let answer = try client.ask(.post, path, body: xml)
      if isComplaining { log.info("vtcpd answers again") }
      isComplaining = false
      if answer.status == .unavailable {
        changed.postpone(now: now)
      } else {
        if let failure = answer.failure { log.warning("domain \(uuid): \(failure)") }
        log.debug("domain \(uuid) told")
        changed.done(uuid)
      }
    } catch {
      if !isComplaining { log.warning("\(error); trying again") }
      isComplaining = true
      changed.postpone(now: now)
    }
  }

  private func wait(_ time: Interval) {
    guard let poller = try? Poller(maximumEvents: 1) else { return }
    _ = poller.wait(timeout: time)
  }
}
