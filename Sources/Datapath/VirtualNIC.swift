// SPDX-License-Identifier: Apache-2.0

public import Arena
import LargeSend
import Memory
import Packets
public import Polling
public import Timekeeping
public import Uplinks
public import VTCP
public import Virtio
import VhostUser
import Wire

/// One virtual NIC: its queues, its uplink and the two paths between them.
///
/// # Theory of operation
///
/// `turn(now:)` gives each path that has something to do its budget, then notifies the drivers, once each. What has
/// something to do is known by events: `ready(_:)` for what the poller reports, edge by edge, and the start of a ring.
/// When nothing is left, `prepareToSleep` asks the drivers for kicks and looks once more.
///
/// The NIC is a `BackEndDevice`: the front-end's messages come between two turns, on the same thread. So nothing is
/// locked, and a message that waits for a turn waits for the budget of one (docs/decisions/0002).
///
/// Uplink queues and queue pairs correspond one to one if there are enough of the former, and the kernel steers frames
/// among them; else the last-sent-on queue is learned here (`FlowSteering`).
public final class VirtualNIC {
  /// What the poller reports: the kick of a queue, or a queue of the uplink.
  public enum Event: Equatable, Sendable {
    case kick(Int)
    case uplink(Int)

    /// The token under which descriptors are registered; other parts of the program use tokens below 2^32.
    public var token: UInt64 {
      switch self {
      case .kick(let index): 1 << 32 | UInt64(index)
      case .uplink(let queue): 2 << 32 | UInt64(queue)
      }
    }

    public init?(token: UInt64) {
      let number = Int(token & 0xffff_ffff)
      switch token >> 32 {
      case 1: self = .kick(number)
      case 2: self = .uplink(number)
      default: return nil
      }
    }
  }

  /// How many queue pairs are served for so many offered: twice, since front-ends disagree on what is counted.
  static func pairsServed(_ offered: Int) -> Int { 2 * offered }
  public static func queueCount(queuePairs: Int) -> Int { 2 * pairsServed(queuePairs) }

  public let memory: GuestMemory
  let configuration: VirtualNICConfiguration
  let uplink: Uplink
  /// The TCP accelerator; nil: frames pass without.
  let module: VTCPModule?
  let ends: [QueueEnd]
  let log: Log
  let poller: Poller
  private let transmitEnds: [QueueEnd]
  let announcer: FirstSizeAnnouncer
  let tap: FrameTap
  let transmitPath: TransmitPath
  let receivePaths: [ReceivePath]
  /// Receive paths that read from the uplink: one for each of its active queues.
  private var activePaths = 1
  var features: VirtioFeatures = []
  let steering: FlowSteering
  /// Of the hash by which flows are told apart.
  var flowSeed: UInt64
  /// Of the turn that was last.
  private(set) var lastTurn = Instant(nanoseconds: 0)
  private var polledQueues = false
  private var lossTold = false
  /// The uplink's limits are read again by then. The kernel tells nobody when they change; asking takes a lock of its own (RTNL), so it is
  /// not done often.
  private var limitsDeadline = Instant(nanoseconds: 0)
  private static let limitsInterval = Interval.seconds(1)
  /// Watched until the uplink takes frames again.
  private var watchedSender: Int32?
  /// A transmitq waits for the uplink since this turn.
  private var isBlocked = false
  /// For how long one did so. Wraps. Nanoseconds.
  private(set) var blockedTime: Int64 = 0
  /// What tuning goes by from here on; nil: the guest has other sizes.
  var tuningStart: LargeSendReading?
  /// Signalled after a turn that marked pages in the dirty log.
  var logCall: OwnedDescriptor?
  private var lostMarksTold = false
  /// Data are not acknowledged early any more, and what was is delivered: an administrator is about to end us.
  public var isDraining = false
  /// When the next turn is due though nothing has happened: drivers wait to hear of transmitted buffers.
  public private(set) var notificationDeadline: Instant?

  public init(
    configuration: VirtualNICConfiguration, uplink: Uplink, arena: Arena, module: VTCPModule? = nil, poller: Poller,
    seed: UInt64, log: Log
  ) throws(SystemError) {
    self.configuration = configuration
    self.uplink = uplink
    self.module = module
    self.poller = poller
    self.log = log
    let memory = GuestMemory()
    self.memory = memory
    ends = (0..<Self.queueCount(queuePairs: configuration.queuePairs)).map { index in
      QueueEnd(
        index: index, memory: memory, journal: RingJournal(over: arena.journal(ofQueue: index)),
        counters: QueueCounters(over: arena.statistics(ofQueue: index)))
    }
    let steering = FlowSteering()
    self.steering = steering
    flowSeed = seed
    let hash = FlowHash(seed: seed)
    let announcer = FirstSizeAnnouncer(configuration.largeSend)
    self.announcer = announcer
    let tap = FrameTap()
    self.tap = tap
    transmitPath = TransmitPath(
      uplink: uplink, module: module, tap: tap, announcer: announcer, macAddress: configuration.macAddress,
      steering: steering, flowHash: hash)
    transmitEnds = ends.filter { $0.queue.direction == .deviceReadable }
    let receiveEnds = ends.filter { $0.queue.direction == .deviceWritable }
    receivePaths = (0..<uplink.queueCount).map { queue in
      ReceivePath(
        uplink: uplink, uplinkQueue: queue, module: module, tap: tap, announcer: announcer, ends: receiveEnds,
        macAddress: configuration.macAddress, steering: steering, flowHash: hash)
    }
    for queue in 0..<uplink.queueCount {
      guard let descriptor = uplink.descriptor(queue: queue) else { continue }
      try poller.add(
        descriptor, [.readable, .writable, .edgeTriggered], token: Event.uplink(queue).token)
    }
    configurePaths()
  }

  deinit {
    memory.deallocate()
    steering.deallocate()
  }

  /// Something is there to do.
  public func ready(_ event: Event) {
    switch event {
    case .kick(let index):
      guard ends.indices.contains(index) else { return }
      ends[index].counters.add(.kicks)
      ends[index].isReady = true
    case .uplink(let queue):
      guard receivePaths.indices.contains(queue) else { return }
      receivePaths[queue].isReady = true
      for end in ends where end.isWaitingForUplink {
        end.isWaitingForUplink = false
        end.isReady = true
      }
    }
  }

  /// Serves everything that is ready, each within its budget. True if something was left for the next turn.
  public func turn(now: Instant) -> Bool {
    var isMoreToDo = false
    if isBlocked { blockedTime &+= (now - lastTurn).nanoseconds }
    lastTurn = now
    if now >= limitsDeadline { readLimits(now) }
    if let module {
      module.setQuiescing(memory.log.isOn || isDraining, now: now)
      if !module.timersDue(now: now) { isMoreToDo = true }
      if module.isAdopting, module.continueAdopting(now: now) { isMoreToDo = true }
    }
    receivePaths[0].isAnnouncing = announcer.isDue
    for path in receivePaths.prefix(activePaths) where path.run(now: now) == .more { isMoreToDo = true }
    tellLostUplink()
    isBlocked = false
    for end in transmitEnds where transmit(end, now) { isMoreToDo = true }
    if let module, accelerate(module, now) { isMoreToDo = true }
    if announcer.isDue, !receivePaths[0].isAnnouncing { isMoreToDo = answer(now) || isMoreToDo }
    watchSender()
    notificationDeadline = module?.nextDeadline
    for end in ends where end.isRunning {
      end.publishIfDue()
      notify(end, now)
      if end.tellFault(log) { configurePaths() }
    }
    if memory.log.hasBitmap { tellMarks() }
    module?.publish(now: now)
    return isMoreToDo
  }

  /// Gives both legs what the module has for them after this turn's frames; true if there is more.
  private func accelerate(_ module: VTCPModule, _ now: Instant) -> Bool {
    var isMoreToDo = false
    switch transmitPath.emit(module, now: now) {
    case .more: isMoreToDo = true
    case .waiting: isBlocked = true
    case .idle: break
    }
    if module.hasFrames(for: .guest, now: now), receivePaths[0].run(now: now) == .more { isMoreToDo = true }
    // What was read besides may have to be acknowledged.
    if !isBlocked, module.hasFrames(for: .network, now: now) { isMoreToDo = true }
    return isMoreToDo
  }

  /// What the guest's module has asked in this turn; true if there is more to do.
  private func answer(_ now: Instant) -> Bool {
    receivePaths[0].isAnnouncing = true
    return receivePaths[0].run(now: now) == .more
  }

  /// No frame that was not cut before is larger than what the uplink takes.
  private func readLimits(_ now: Instant) {
    limitsDeadline = now + Self.limitsInterval
    if let limits = uplink.egressLimits, transmitPath.setLimits(limits) {
      let taken = transmitPath.limits
      log.info(
        "the uplink \(uplink.name) takes large sends of \(taken.ipv4Bytes) bytes (IPv4), \(taken.ipv6Bytes) (IPv6), "
          + "\(taken.segments) segments")
    }
    if announcer.setting != .off, announcer.fit(transmitPath.limits, mtu: uplink.mtu ?? 1500) { tellFirstSize() }
  }

  private func tellMarks() {
    if memory.log.takeMarks(), let logCall { EventDescriptor.signal(logCall.rawValue) }
    guard memory.log.lostCount > 0, !lostMarksTold else { return }
    lostMarksTold = true
    log.error("the front-end's dirty log does not cover the guest's memory: a guest migrated with it is not whole")
  }

  private func notify(_ end: QueueEnd, _ now: Instant) {
    guard end.queue.direction == .deviceReadable else { return end.notifyIfDue() }
    guard let deadline = end.notifyOfTransmitted(now: now) else { return }
    notificationDeadline = min(deadline, notificationDeadline ?? deadline)
  }

  private func tellLostUplink() {
    guard uplink.isGone, !lossTold else { return }
    lossTold = true
    log.error("the uplink \(uplink.name) was removed; make it again and restart this program")
  }

  private func transmit(_ end: QueueEnd, _ now: Instant) -> Bool {
    guard end.isServed || end.isDraining, end.isReady else { return false }
    let pair = NetworkQueues.pair(ofQueue: end.index)
    let progress = transmitPath.run(end, uplinkQueue: pair % uplink.queueCount, now: now)
    end.isReady = progress == .more
    if progress == .waiting {
      end.isWaitingForUplink = true
      isBlocked = true
    }
    return progress == .more
  }

  /// Watches what the uplink sends by while it takes no more, and then no longer: each frame sent would be reported.
  private func watchSender() {
    guard isBlocked || watchedSender != nil else { return }
    let blocked = uplink.blockedDescriptor
    guard blocked != watchedSender else { return }
    if let watchedSender { poller.remove(watchedSender) }
    watchedSender = nil
    guard let blocked else { return }
    do throws(SystemError) {
      try poller.add(blocked, [.writable, .edgeTriggered], token: Event.uplink(0).token)
      watchedSender = blocked
    } catch {
      log.error("the uplink \(uplink.name) can't be watched: \(error)")
    }
  }

  /// Whether a driver has made something available, looked at without asking for kicks. For busy polling.
  public func hasWork() -> Bool {
    var found = false
    for end in transmitEnds where (end.isServed || end.isDraining) && !end.isReady && !end.isWaitingForUplink {
      if end.queue.hasAvailable {
        end.isReady = true
        found = true
      }
    }
    return found
  }

  /// Looks `rounds` times, a moment apart.
  public func lookForWork(rounds: Int) -> Bool {
    for _ in 0..<rounds {
      if hasWork() { return true }
      spinPause()
    }
    return false
  }

  /// Asks the drivers for kicks. True if something was made available meanwhile: don't sleep.
  public func prepareToSleep() -> Bool {
    var found = false
    for end in transmitEnds where (end.isServed || end.isDraining) && !end.isWaitingForUplink {
      if end.enableKicks() {
        end.isReady = true
        found = true
      }
    }
    return found
  }

  /// Bytes of large frames that have passed, both ways: what bulk transfers consist of. Wraps.
  public var bulkBytes: Int {
    var sum = transmitPath.bulkBytes
    for path in receivePaths { sum &+= path.bulkBytes }
    return sum
  }

  /// A driver does not kick: its queues have to be looked at by the clock.
  public var needsPolling: Bool { polledQueues }

  // MARK: - Set-up between turns

  /// Fits the paths and the uplink to what was negotiated and to the queue pairs that are enabled.
  func configurePaths() {
    let guest = GuestAbilities(features)
    let receiveEnds = ends.filter { $0.queue.direction == .deviceWritable }
    let pairs = (receiveEnds.lastIndex { $0.isServed } ?? 0) + 1
    activePaths = min(pairs, uplink.queueCount)
    uplink.setActiveQueues(activePaths)
    let handedUp = uplink.setReceiveOffloads(guest.offloads)
    let isSteered = pairs > uplink.queueCount
    transmitPath.guestHeaderLength = guest.headerLength
    transmitPath.learnsFlows = pairs > 1
    if let mtu = uplink.mtu { module?.linkMTU = mtu }
    for path in receivePaths {
      path.configure(guest, handedUp: handedUp, activePairs: pairs, isSteered: isSteered)
      path.isReady = true
    }
    polledQueues = ends.contains { $0.isRunning && $0.isPolled }
  }

  /// How often the kernel met guest memory that is not there any more, since its file was cut short.
  public var memoryFaults: UInt64 { uplink.counters.memoryFaults }

  func send(_ frame: ByteRegion) -> Bool { transmitPath.send(frame) }

  /// Writes what was counted to the log: a line for each queue that runs or has done something, and one for the uplink.
  public func logCounters() {
    for end in ends {
      let counted = QueueCounter.allCases.filter { end.counters[$0] > 0 }.map { "\($0)=\(end.counters[$0])" }
      guard end.isRunning || !counted.isEmpty else { continue }
      let direction = end.queue.direction == .deviceReadable ? "transmit" : "receive"
      log.info("queue \(end.index) \(direction) \(counted.joined(separator: " "))")
    }
    if let module { log.info("vtcp flows=\(module.flowCount) chunks=\(module.heldChunks) \(module.counters.text)") }
    let counters = uplink.counters
    log.info(
      "uplink \(uplink.name) sent=\(counters.framesSent) received=\(counters.framesReceived) "
        + "send-errors=\(counters.sendErrors) send-dropped=\(counters.sendDropped) "
        + "receive-errors=\(counters.receiveErrors) receive-truncated=\(counters.receiveTruncated)")
  }
}
