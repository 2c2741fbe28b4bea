// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling
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
  /// Something was completed that the driver can't see yet.
  var hasUnpublished = false
  /// The driver is to be notified when the turn ends.
  var notificationDue = false
  /// The fault was told.
  var faultTold = false
  var kick: OwnedDescriptor?
  var call: OwnedDescriptor?
  var error: OwnedDescriptor?

  /// Chains and vectors that are taken ahead: enough for a frame of 64 KiB in buffers of 64 bytes.
  private static let chainCapacity = 1024
  private static let vectorCapacity = 4096

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
    // A kick may have come before we were there.
    isReady = true
    faultTold = false
    return queue.start(setup)
  }

  /// Nothing of the ring is touched after this.
  func halt() {
    isRunning = false
    isReady = false
    notificationDue = false
    hasUnpublished = false
    kick = nil
    chains.deallocate()
    chains = ChainList()
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
    guard let call else { return }
    counters.add(.notifications)
    EventDescriptor.signal(call.rawValue)
  }

  /// Tells the front-end and the log, once, that the ring is broken. True if it was told now.
  func tellFault(_ log: Log) -> Bool {
    guard let fault = queue.fault, !faultTold else { return false }
    faultTold = true
    isReady = false
    if let error { EventDescriptor.signal(error.rawValue) }
    log.error(
      "queue \(index) stopped: its driver broke the ring (\(fault)); a driver reset brings it back, other queues go on")
    return true
  }
}
