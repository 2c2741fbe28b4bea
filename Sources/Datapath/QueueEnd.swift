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
  /// The driver is to be notified when the turn ends.
  var notificationDue = false
  /// The fault was told.
  var faultTold = false
  var kick: OwnedDescriptor?
  var call: OwnedDescriptor?
  var error: OwnedDescriptor?

  /// Vectors that a list holds: several chains as long as a 64 KiB frame in pages, or one of the longest.
  private static let vectorCapacity = 4096

  init(index: Int, memory: GuestMemory, journal: RingJournal, counters: QueueCounters) {
    self.index = index
    self.counters = counters
    queue = Virtqueue(direction: NetworkQueues.direction(ofQueue: index), memory: memory, journal: journal)
    chains = ChainList(chains: 1024, vectors: Self.vectorCapacity)
  }

  deinit { chains.deallocate() }

  var isServed: Bool { isRunning && isEnabled }

  /// Makes what was completed visible, and remembers to notify the driver.
  func publish() {
    counters.add(.batches)
    if queue.publish() { notificationDue = true }
  }

  /// Notifies the driver if it is due. Once a turn.
  func notifyIfDue() {
    guard notificationDue else { return }
    notificationDue = false
    guard let call, isEnabled else { return }
    counters.add(.notifications)
    EventDescriptor.signal(call.rawValue)
  }

  /// Tells the front-end and the log, once, that the ring is broken.
  func tellFault(_ log: Log) {
    guard let fault = queue.fault, !faultTold else { return }
    faultTold = true
    isReady = false
    if let error { EventDescriptor.signal(error.rawValue) }
    log.error(
      "queue \(index) stopped: its driver broke the ring (\(fault)); a driver reset brings it back, other queues go on")
  }
}
