// SPDX-License-Identifier: Apache-2.0

import Memory

/// The device's side of one virtqueue, split or packed.
///
/// # Theory of operation
///
/// The driver makes chains available; `pop` takes a batch of them into a `ChainList`, translated and checked. They
/// come back in the same order: `completeFirst` (transmit) or `completeWritten` (receive) write used entries, and
/// `publish` makes the batch visible at once and says whether the driver wants to hear of it. Chains that were popped
/// but will not be served go back by `rewind`, as if they had never been taken.
///
/// Nothing that the driver writes traps or loops: a chain that breaks the rules comes out unsound and is given back
/// with length 0; a ring that makes no sense any more sets `fault` and yields nothing until it is started anew.
///
/// What is written to guest memory, by whomever, is marked in `memory.log` while that is on: buffers when they are given
/// back, the ring's own areas as they are written.
///
/// It knows nothing of eventfds, of vhost-user or of packets. One thread owns it.
public final class Virtqueue {
  /// The buffers' direction, the same for the whole life of the queue.
  public let direction: BufferDirection
  private let memory: GuestMemory
  private let journal: RingJournal
  private var log: RingLog
  private var split: SplitRing?
  private var packed: PackedRing?
  private var notifyOnEmpty = false
  private var faultFound: QueueFault?

  public init(direction: BufferDirection, memory: GuestMemory, journal: RingJournal) {
    self.direction = direction
    self.memory = memory
    self.journal = journal
    log = RingLog(memory.log, descriptors: nil, device: nil)
  }

  public var isRunning: Bool { split != nil || packed != nil }

  /// Entries; 0 if it does not run.
  public var size: Int { Int(split?.size ?? packed?.size ?? 0) }

  /// Why the queue yields nothing any more, until it is started anew.
  public var fault: QueueFault? { faultFound }

  /// Starts at `setup.base`; a packed ring whose journal tells of a later place, at that place.
  /// Returns whether the journal was followed.
  @discardableResult
  public func start(_ setup: QueueSetup) -> Bool {
    faultFound = nil
    setLog(setup)
    markAll(setup)
    notifyOnEmpty = setup.notifyOnEmpty
    switch setup.format {
    case .split:
      packed = nil
      journal.close()
      var ring = SplitRing(
        size: setup.size, areas: setup.areas, eventIndex: setup.eventIndex,
        base: UInt16(truncatingIfNeeded: setup.base))
      if setup.goesOn { ring.lastAvailable = ring.usedIndex }
      ring.correctBase()
      split = ring
      return false
    case .packed:
      split = nil
      var ring = PackedRing(
        size: setup.size, areas: setup.areas, eventIndex: setup.eventIndex, base: setup.base, journal: journal)
      let isResumed = ring.resume(descriptorAddress: setup.descriptorAddress, log)
      journal.open(size: setup.size, descriptorAddress: setup.descriptorAddress, position: ring.nextUsed)
      ring.mark(log)
      packed = ring
      return isResumed
    }
  }

  /// What the process before us wrote to the ring last it may not have marked. What it wrote to buffers it had.
  private func markAll(_ setup: QueueSetup) {
    guard setup.goesOn, log.isOn else { return }
    let size = Int(setup.size)
    switch setup.format {
    case .split: log.wroteDevice(at: 0, length: SplitRing.usedBytes(size: size))
    case .packed:
      log.wroteDescriptors(at: 0, length: PackedRing.descriptorBytes(size: size))
      log.wroteDevice(at: 0, length: 4)
    }
  }

  private func setLog(_ setup: QueueSetup) {
    log = RingLog(
      memory.log, descriptors: memory.guestAddress(of: setup.areas.descriptors), device: setup.usedLogAddress)
  }

  /// Stops in order; what `list` holds goes back to the ring. Returns the base for `VHOST_USER_GET_VRING_BASE`.
  public func stop(returning list: inout ChainList) -> UInt32 {
    rewind(&list)
    let base = split.map { UInt32($0.lastAvailable) } ?? packed?.base ?? 0
    journal.close()
    split = nil
    packed = nil
    return base
  }

  /// Lets go of the ring at once: its memory goes away, or the front-end is gone. The journal stays.
  public func abandon() {
    split = nil
    packed = nil
  }

  /// The driver reset the device: the journal is of no use any more.
  public func forget() {
    journal.close()
  }

  /// New areas for a running ring: the front-end moved its memory, the contents are the same. Or only another place in
  /// the log.
  public func move(to setup: QueueSetup) {
    setLog(setup)
    if let ring = split {
      var moved = SplitRing(
        size: ring.size, areas: setup.areas, eventIndex: ring.eventIndex, base: ring.lastAvailable)
      moved.usedIndex = ring.usedIndex
      moved.signalled = ring.signalled
      split = moved
    } else if let ring = packed {
      var moved = PackedRing(
        size: ring.size, areas: setup.areas, eventIndex: ring.eventIndex, base: ring.base, journal: journal)
      moved.isResumed = ring.isResumed
      packed = moved
      journal.open(size: ring.size, descriptorAddress: setup.descriptorAddress, position: ring.nextUsed)
    }
  }

  /// Whether the driver has made something available that was not taken yet.
  public var hasAvailable: Bool {
    guard faultFound == nil else { return false }
    return split?.hasAvailable ?? packed?.hasAvailable ?? false
  }

  /// Takes up to `limit` chains to the end of `list`; returns how many.
  public func pop(limit: Int, into list: inout ChainList) -> Int {
    guard faultFound == nil else { return 0 }
    do throws(QueueFault) {
      if split != nil {
        return try split?.pop(limit: limit, direction: direction, memory: memory, into: &list) ?? 0
      }
      return try packed?.pop(limit: limit, direction: direction, memory: memory, into: &list) ?? 0
    } catch {
      faultFound = error
      return 0
    }
  }

  /// Whether the driver was not considered for a notification since something was given back, be it by another: `publish` then.
  public var hasUntold: Bool { packed?.hasUntold ?? false }

  /// Puts all chains of `list` back: the next `pop` finds the first of them again.
  public func rewind(_ list: inout ChainList) {
    if !list.isEmpty {
      let position = list.chains[list.first].position
      split?.lastAvailable = position
      packed?.nextAvailable = PackedPosition(rawValue: position)
    }
    list.removeAll()
  }

  /// Gives back the first `count` chains of `list` with length 0: the device wrote nothing.
  public func completeFirst(_ count: Int, of list: inout ChainList) {
    packed?.reserve(min(count, RingJournal.capacity), log)
    push(0, chains: count, of: &list)
  }

  @inline(__always)
  private func push(_ bytes: Int, chains count: Int, of list: inout ChainList) {
    precondition(count >= 0 && count <= list.count, "out of bounds")
    let held = split?.push(count, of: list, written: bytes) ?? packed?.push(count, of: list, written: bytes) ?? 0
    list.removeFirst(count, holding: held)
  }

  /// How many chains from the front of `list` take `bytes` bytes; nil if all together are too small.
  public func chainsHolding(_ bytes: Int, in list: borrowing ChainList) -> Int? {
    let first = list.first
    var remaining = bytes
    for index in first..<list.end {
      remaining &-= list.chains[index].byteCount
      if remaining <= 0 { return index &- first &+ 1 }
    }
    return nil
  }

  /// Gives back the first `count` chains of `list`, into which `bytes` bytes were written without gaps.
  public func completeWritten(_ bytes: Int, chains count: Int, of list: inout ChainList) {
    precondition(count <= RingJournal.capacity, "a frame in more buffers than a batch holds")
    packed?.reserve(count, log)
    if memory.log.isOn { mark(bytes, after: 0, in: list) }
    push(bytes, chains: count, of: &list)
  }

  /// The first chains of `list` have `bytes` bytes after the first `skipped` written, though they will not be given back
  /// with them.
  public func spoiled(_ bytes: Int, after skipped: Int, in list: borrowing ChainList) {
    if memory.log.isOn { mark(bytes, after: skipped, in: list) }
  }

  @inline(never)
  private func mark(_ bytes: Int, after skipped: Int, in list: borrowing ChainList) {
    var skipping = skipped
    var remaining = bytes
    var index = list.firstVector
    while remaining > 0, index < list.vectorsEnd, let region = list.vectors[index].region {
      let start = min(skipping, region.count)
      let length = min(remaining, region.count - start)
      memory.markWritten(region.slice(from: start, count: length))
      skipping -= start
      remaining -= length
      index += 1
    }
  }

  /// Makes what was completed visible to the driver; true if the driver is to be notified.
  public func publish() -> Bool {
    if split != nil {
      split?.publish(log)
      let wanted = split?.needsNotification() ?? false
      return wanted || (notifyOnEmpty && !(split?.hasAvailable ?? true))
    }
    packed?.publish(log)
    return packed?.needsNotification() ?? false
  }

  /// Asks the driver for a kick at the next available buffer; true if there is one already, so look again.
  public func enableKicks() -> Bool {
    guard faultFound == nil else { return false }
    return split?.enableKicks(log) ?? packed?.enableKicks(log) ?? false
  }

  /// Tells the driver that no kick is needed: we are looking anyway.
  public func disableKicks() {
    split?.disableKicks(log)
    packed?.disableKicks(log)
  }
}
