// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling
import Timekeeping
import Virtio

/// One virtqueue as the datapath serves it: the ring, what was taken from it, and its descriptors.
final class QueueEnd {
  let index: Int
  let queue: Virtqueue
  let counters: QueueCounters
  /// Chains taken from the ring and not given back yet.
  var chains: ChainList
  var isRunning = false
  var isEnabled = false
  /// The driver may have made something available since we last looked.
  var isReady = false
  /// The driver does not kick: look in every turn.
  var isPolled = false
  /// The uplink takes no more; to be served when it does.
  var isWaitingForUplink = false
  /// The driver kicks at every buffer that it posts, since it has not been told otherwise or we waited for one.
  var isKicked = true
  /// Something was completed that the driver can't see yet.
  var hasUnpublished = false
  /// The driver is to be notified when the turn ends.
  var notificationDue = false
  /// Transmit buffers given back since the driver was last notified.
  var untold = 0
  /// So many bytes of the payload of the ring's first frame have left, in pieces; 0: nothing of it.
  var splitPosition = 0
  /// Until when the notification of them may wait for more, if it does.
  private var isTellingDelayed = false
  private var tellingDeadline = Instant(nanoseconds: 0)
  /// The fault was told.
  var faultTold = false
  var kick: OwnedDescriptor?
  var call: OwnedDescriptor?
  var error: OwnedDescriptor?

  /// Chains and vectors that are taken ahead: enough for a frame of 64 KiB in buffers of 64 bytes.
  private static let chainCapacity = RingJournal.capacity
  private static let vectorCapacity = 4096
  /// The driver hears of this many transmitted buffers at once, or of fewer after this time. Half of what Linux lets a
  /// TCP connection keep below the socket (a millisecond's worth at its rate), so that none runs dry waiting for it.
  private static let tellingBatch = 64
  private static let tellingDelay = Interval.microseconds(500)

  init(index: Int, memory: GuestMemory, journal: RingJournal, counters: QueueCounters) {
    self.index = index
    self.counters = counters
    queue = Virtqueue(direction: NetworkQueues.direction(ofQueue: index), memory: memory, journal: journal)
    chains = ChainList()
  }

  deinit { chains.deallocate() }

  /// The front-end disabled the ring while it ran: what the guest transmits is thrown away.
  ///
  /// A ring that was not enabled *yet* is left alone. The specification would have it drained too, but QEMU enables
  /// rings after it starts them, and what the guest left there while we were away is not to be lost.
  var isDraining = false

  /// Frames may pass.
  var isServed: Bool { isRunning && isEnabled && queue.fault == nil }

  /// Starts the ring. Returns whether it goes on where a process before this one stopped.
  func start(_ setup: QueueSetup, kick: OwnedDescriptor?) -> Bool {
    chains.deallocate()
    chains = ChainList(chains: Self.chainCapacity, vectors: Self.vectorCapacity)
    self.kick = kick
    isPolled = kick == nil
    isRunning = true
    isDraining = false
    isKicked = true
    splitPosition = 0
    // A kick may have come before we were there.
    isReady = true
    faultTold = false
    return queue.start(setup)
  }

  /// Nothing of the ring is touched after this.
  func halt() {
    isRunning = false
    isReady = false
    faultTold = false
    notificationDue = false
    hasUnpublished = false
    splitPosition = 0
    kick = nil
    chains.deallocate()
    chains = ChainList()
  }

  /// Asks for a kick at the next buffer; true if there is one already.
  func enableKicks() -> Bool {
    isKicked = true
    return queue.enableKicks()
  }

  /// We look by ourselves for now.
  func disableKicks() {
    guard isKicked else { return }
    isKicked = false
    queue.disableKicks()
  }

  /// Gives back what was filled and not yet shown.
  func publishIfDue() {
    guard hasUnpublished else { return }
    hasUnpublished = false
    publish()
  }

  /// Makes what was completed visible, and remembers to notify the driver.
  func publish() {
    counters.add(.batches)
    if queue.publish() { notificationDue = true }
  }

  /// Notifies the driver if it is due. Once a turn.
  func notifyIfDue() {
    guard notificationDue else { return }
    notificationDue = false
    untold = 0
    isTellingDelayed = false
    guard let call else { return }
    counters.add(.notifications)
    EventDescriptor.signal(call.rawValue)
  }

  /// Notifies the driver of transmit buffers that came back, but not of each: a driver waits for them only to free them
  /// or when it has none left. Returns until when this may wait for more of them; nil: nothing waits.
  func notifyOfTransmitted(now: Instant) -> Instant? {
    guard notificationDue else { return nil }
    if !isTellingDelayed {
      isTellingDelayed = true
      tellingDeadline = now + Self.tellingDelay
    }
    guard !hasManyUntold, now < tellingDeadline else {
      notifyIfDue()
      return nil
    }
    return tellingDeadline
  }

  private var hasManyUntold: Bool { untold >= min(Self.tellingBatch, queue.size / 4) }

  /// Notifies the driver of transmit buffers before the turn ends, if they are many: it fills the ring while we empty it.
  func notifyOfManyTransmitted() {
    if notificationDue, hasManyUntold { notifyIfDue() }
  }

  /// Shows the driver what it received, and wakes it, before the turn ends: it works on that while we read on.
  func handOver() {
    publishIfDue()
    notifyIfDue()
  }

  /// Tells the front-end and the log, once, that the ring is broken. True if it was told now.
  func tellFault(_ log: Log) -> Bool {
    guard let fault = queue.fault, !faultTold else { return false }
    faultTold = true
    isReady = false
    counters.add(.faults)
    if let error { EventDescriptor.signal(error.rawValue) }
    log.error(
      "queue \(index) stopped: its driver broke the ring (\(fault)); a driver reset brings it back, other queues go on")
    return true
  }
}
