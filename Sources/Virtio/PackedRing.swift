// SPDX-License-Identifier: Apache-2.0

import Memory

/// The device's side of a packed virtqueue (virtio 1.3, 2.8).
///
/// Buffers are given back in the order in which they came, in batches: entries are collected in the journal, and
/// `publish` writes them to the ring, the first one's flags last, so that a batch becomes visible at once.
struct PackedRing {
  let size: UInt16
  let descriptors: SharedRegion
  /// Driver event suppression: which notifications the driver wants.
  let driverEvent: SharedRegion
  /// Device event suppression: which kicks we want.
  let deviceEvent: SharedRegion
  let eventIndex: Bool

  /// Next descriptor to take.
  var nextAvailable: PackedPosition
  /// Where the next used descriptor goes.
  var nextUsed: PackedPosition
  private let journal: RingJournal
  /// Where the batch begins, and its entries in the journal.
  private var batchStart: PackedPosition
  private var batchCount = 0
  /// Descriptors that `nextUsed` moved on by since the driver was last considered for a notification.
  private var usedSinceSignal = 0
  /// Went on where a device before this one stopped.
  var isResumed = false

  static func descriptorBytes(size: Int) -> Int { 16 * size }

  /// `base` as in `VHOST_USER_SET_VRING_BASE`: available position in the low half, used position in the high half.
  init(
    size: UInt16, areas: RingAreas, eventIndex: Bool, base: UInt32, journal: RingJournal
  ) {
    self.size = size
    descriptors = SharedRegion(areas.descriptors)
    driverEvent = SharedRegion(areas.driver)
    deviceEvent = SharedRegion(areas.device)
    self.eventIndex = eventIndex
    nextAvailable = PackedPosition(rawValue: UInt16(truncatingIfNeeded: base))
    nextUsed = PackedPosition(rawValue: UInt16(truncatingIfNeeded: base >> 16))
    batchStart = nextUsed
    self.journal = journal
  }

  var base: UInt32 { UInt32(nextAvailable.rawValue) | UInt32(nextUsed.rawValue) << 16 }

  var hasAvailable: Bool { Self.isAvailable(nextAvailable, in: descriptors) }

  /// A descriptor, each half read once.
  private struct Descriptor {
    let address: UInt64
    /// Length, buffer id and flags.
    let word: UInt64

    var length: UInt32 { UInt32(truncatingIfNeeded: word) }
    var id: UInt16 { UInt16(truncatingIfNeeded: word >> 32) }
    var flags: DescriptorFlags { DescriptorFlags(rawValue: UInt16(truncatingIfNeeded: word >> 48)) }
  }

  mutating func pop(
    limit: Int, direction: BufferDirection, memory: GuestMemory, into list: inout ChainList
  ) throws(QueueFault) -> Int {
    let expected: DescriptorFlags = direction == .deviceWritable ? .write : []
    var popped = 0
    // Once: a driver that writes to the ring meanwhile must not keep us here.
    var hasPassedOver = false
    while popped < limit {
      if !list.hasRoomForChain { list.compact() }
      guard list.hasRoomForChain else { return popped }
      let end = list.end
      let head = popSingles(limit &- popped, expected, memory.recent, into: &list)
      let count = list.end &- end
      popped &+= count
      guard let head else {
        guard count > 0 || (!hasPassedOver && passOver()) else { return popped }
        hasPassedOver = count == 0
        continue
      }
      try popChain(from: head, ChainBuilder(memory: memory, list: list, direction: direction), into: &list)
      popped &+= 1
    }
    return popped
  }

  /// Takes buffers of one descriptor each that lie in `region`, in few instructions: what drivers post to receive into,
  /// and small frames. Returns the first that is something else, as it was read.
  private mutating func popSingles(
    _ wanted: Int, _ expected: DescriptorFlags, _ region: GuestRegion, into list: inout ChainList
  ) -> Descriptor? {
    let (descriptors, size) = (descriptors, size)
    var position = nextAvailable
    var singles = SingleBuffers(of: list, limit: wanted)
    defer {
      nextAvailable = position
      list.append(singles)
    }
    while !singles.isFull, Self.isAvailable(position, in: descriptors) {
      let head = Self.read(position, of: descriptors)
      guard head.flags.intersection([.next, .write, .indirect]) == expected, head.length > 0,
        let range = region.range(at: head.address, count: UInt64(head.length))
      else { return head }
      singles.append(range, id: head.id, position: position.rawValue)
      position.advance(by: 1, size: size)
    }
    return nil
  }

  /// Passes over buffers that somebody else gave back while no device was there: QEMU drops what the driver wants to transmit then,
  /// beginning where it believes that the device stopped (docs/decisions/0006). False if the next one is not of that kind.
  private mutating func passOver() -> Bool {
    guard isResumed, batchCount == 0, nextAvailable == nextUsed else { return false }
    var slots = 0
    while slots < size, Self.isGivenBack(nextUsed, in: descriptors) {
      let id = Self.read(nextUsed, of: descriptors).id
      // Only the first descriptor of a chain is written; a driver like Linux's writes the buffer's id into each.
      repeat {
        nextUsed.advance(by: 1, size: size)
        slots &+= 1
      } while slots < size && Self.isAvailable(nextUsed, in: descriptors)
        && Self.read(nextUsed, of: descriptors).id == id
    }
    guard slots > 0 else { return false }
    nextAvailable = nextUsed
    batchStart = nextUsed
    usedSinceSignal &+= slots
    journal.didPublish(upTo: nextUsed)
    return true
  }

  /// Whether something was given back since the driver was last considered for a notification.
  var hasUntold: Bool { usedSinceSignal > 0 }

  /// Given back in the lap of `position`, where the device has yet to come in that lap: no driver leaves that.
  private static func isGivenBack(_ position: PackedPosition, in descriptors: SharedRegion) -> Bool {
    let flags = DescriptorFlags(rawValue: descriptors.loadAcquire16(at: 16 &* Int(position.index) &+ 14))
    return flags.contains(.available) == position.wrap && flags.contains(.used) == position.wrap
  }

  @inline(__always)
  private static func isAvailable(_ position: PackedPosition, in descriptors: SharedRegion) -> Bool {
    let flags = DescriptorFlags(rawValue: descriptors.loadAcquire16(at: 16 &* Int(position.index) &+ 14))
    return flags.contains(.available) == position.wrap && flags.contains(.used) != position.wrap
  }

  @inline(__always)
  private static func read(_ position: PackedPosition, of descriptors: SharedRegion) -> Descriptor {
    Descriptor(
      address: descriptors.load64(at: 16 &* Int(position.index)),
      word: descriptors.load64(at: 16 &* Int(position.index) &+ 8))
  }

  /// Takes the chain that begins with `head`.
  private mutating func popChain(
    from head: Descriptor, _ builder: consuming ChainBuilder, into list: inout ChainList
  ) throws(QueueFault) {
    let start = nextAvailable
    let id = try walk(from: head, &builder)
    var slots = Int(nextAvailable.index) &- Int(start.index)
    if nextAvailable.wrap != start.wrap { slots &+= Int(size) }
    builder.finish(
      id: id, position: start.rawValue, slots: UInt16(truncatingIfNeeded: slots), into: &list)
  }

  /// Follows one chain to its end even if it is unsound: the ring goes on behind it. Returns the buffer id, which
  /// stands in the last descriptor (2.8.6).
  private mutating func walk(from head: Descriptor, _ builder: inout ChainBuilder) throws(QueueFault) -> UInt16 {
    var descriptor = head
    for _ in 0..<size {
      nextAvailable.advance(by: 1, size: size)
      let flags = descriptor.flags
      if flags.contains(.indirect) {
        if flags.contains(.next) {
          builder.refuse()
        } else if builder.isSound {
          builder.addTable(address: descriptor.address, length: descriptor.length, format: .packed)
        }
      } else if builder.isSound {
        builder.add(address: descriptor.address, length: descriptor.length, flags: flags)
      }
      guard flags.contains(.next) else { return descriptor.id }
      descriptor = Self.read(nextAvailable, of: descriptors)
    }
    throw .endlessChain
  }

  /// Makes room for `count` entries that are to become visible together: the buffers of one frame.
  @inline(__always)
  mutating func reserve(_ count: Int, _ log: RingLog) {
    if batchCount &+ count > RingJournal.capacity { publish(log) }
  }

  /// Records used entries for the first `count` chains of `list`, into which `written` bytes were written without gaps;
  /// the driver sees them with the next `publish`. Returns how many bytes the chains hold. After `reserve`.
  mutating func push(_ count: Int, of list: borrowing ChainList, written: Int) -> Int {
    var (remaining, held, slots, place) = (written, 0, 0, nextUsed)
    for index in 0..<count {
      let chain = list.chains[list.first &+ index]
      let length = min(remaining, chain.byteCount)
      journal.record(
        UsedEntry(id: chain.id, slots: chain.slots, length: UInt32(truncatingIfNeeded: length)),
        at: batchCount &+ index)
      remaining &-= length
      held &+= chain.byteCount
      slots &+= Int(chain.slots)
      place.advance(by: chain.slots, size: size)
    }
    batchCount &+= count
    nextUsed = place
    usedSinceSignal &+= slots
    return held
  }

  mutating func publish(_ log: RingLog) {
    guard batchCount > 0 else { return }
    journal.willPublish(batchCount, from: batchStart)
    write(batchCount, from: batchStart, log)
    journal.didPublish(upTo: nextUsed)
    batchCount = 0
    batchStart = nextUsed
  }

  /// Writes the journal's first `count` entries as used descriptors. Returns where the next one goes.
  @discardableResult
  private func write(_ count: Int, from start: PackedPosition, _ log: RingLog) -> PackedPosition {
    var position = start
    var firstFlags: UInt16 = 0
    for index in 0..<count {
      let entry = journal.entry(at: index)
      let offset = 16 &* Int(position.index)
      var flags: DescriptorFlags = position.wrap ? [.available, .used] : []
      if entry.length > 0 { flags.insert(.write) }
      descriptors.store32(entry.length, at: offset &+ 8)
      descriptors.store16(entry.id, at: offset &+ 12)
      if index == 0 {
        firstFlags = flags.rawValue
      } else {
        descriptors.store16(flags.rawValue, at: offset &+ 14)
      }
      position.advance(by: entry.slots, size: size)
    }
    descriptors.storeRelease16(firstFlags, at: 16 &* Int(start.index) &+ 14)
    if log.isOn { mark(count, from: start, in: log) }
    return position
  }

  /// Marks the descriptors that `write` wrote, one for each entry; several at once where no page lies between them.
  private func mark(_ count: Int, from start: PackedPosition, in log: RingLog) {
    var position = start
    var first = 16 * Int(start.index)
    var end = first
    for index in 0..<count {
      let offset = 16 * Int(position.index)
      if offset < end || offset - end >= Int(DirtyLog.pageSize) {
        log.wroteDescriptors(at: first, length: end - first)
        first = offset
      }
      end = offset + 16
      position.advance(by: journal.entry(at: index).slots, size: size)
    }
    log.wroteDescriptors(at: first, length: end - first)
  }

  /// Goes on where the process before us stopped, if the journal is of this very ring and the driver has not made the
  /// ring anew since. A batch that was on record but not visible is written again. False: stay at the base.
  mutating func resume(descriptorAddress: UInt64, _ log: RingLog) -> Bool {
    guard let (position, count) = journal.left(size: size, descriptorAddress: descriptorAddress) else { return false }
    isResumed = true
    if looksNew, !wasBegun(position, count) {
      // Whatever base the front-end remembers, a new ring starts here.
      setPosition(PackedPosition(index: 0, wrap: true))
      return true
    }
    var next = position
    if count > 0, !isUsed(at: position) {
      next = write(count, from: position, log)
    } else {
      for index in 0..<count { next.advance(by: journal.entry(at: index).slots, size: size) }
    }
    setPosition(next)
    return true
  }

  private mutating func setPosition(_ position: PackedPosition) {
    nextAvailable = position
    nextUsed = position
    batchStart = position
  }

  /// Whether a ring that looks new is one whose very first batch was begun: its first descriptor's length is written.
  private func wasBegun(_ position: PackedPosition, _ count: Int) -> Bool {
    count > 0 && position == PackedPosition(index: 0, wrap: true)
      && descriptors.load32(at: 8) == journal.entry(at: 0).length
  }

  /// Whether the driver asks to hear of what was published since it was last considered (2.8.10).
  mutating func needsNotification() -> Bool {
    let moved = usedSinceSignal
    usedSinceSignal = 0
    guard moved > 0 else { return false }
    fullFence()
    let word = driverEvent.load32(at: 0)
    switch UInt16(truncatingIfNeeded: word >> 16) & 3 {
    case 1: return false
    case 2 where eventIndex:
      let event = PackedPosition(rawValue: UInt16(truncatingIfNeeded: word))
      var place = Int(event.index)
      if event.wrap != nextUsed.wrap { place -= Int(size) }
      let distance = Int(nextUsed.index) - place - 1
      return distance >= 0 && distance < moved
    default: return true
    }
  }

  func enableKicks(_ log: RingLog) -> Bool {
    if eventIndex {
      deviceEvent.store16(nextAvailable.rawValue, at: 0)
      deviceEvent.storeRelease16(2, at: 2)
    } else {
      deviceEvent.store16(0, at: 2)
    }
    log.wroteDevice(at: 0, length: 4)
    fullFence()
    return hasAvailable
  }

  func disableKicks(_ log: RingLog) {
    deviceEvent.store16(1, at: 2)
    log.wroteDevice(at: 2, length: 2)
  }

  /// Whether the descriptor at `position` was given back in that lap. Its driver may have made it available again,
  /// which leaves the used bit as it is.
  private func isUsed(at position: PackedPosition) -> Bool {
    let flags = DescriptorFlags(rawValue: descriptors.loadAcquire16(at: 16 &* Int(position.index) &+ 14))
    return flags.contains(.used) == position.wrap
  }

  /// Leaves a trace in the device's own area that the ring has been served. Its first half says nothing to the driver
  /// until the second half, the flags, asks for an event at that position (2.8.14).
  func mark(_ log: RingLog) {
    deviceEvent.store16(max(nextAvailable.rawValue, 1), at: 0)
    log.wroteDevice(at: 0, length: 2)
  }

  private var isMarked: Bool { deviceEvent.load32(at: 0) != 0 }

  /// Whether the ring has never been used by a device since its driver made it.
  ///
  /// A driver clears a new ring and makes descriptors available with the used bit clear until the first lap is done.
  /// In a ring past its first lap no descriptor is all zero, and unless every descriptor is newly available some
  /// carry the used bit. If every one is, as happens in each odd lap, only the mark tells.
  /// (Worked out case by case in docs/decisions/0006.)
  private var looksNew: Bool {
    var sawZero = false
    var allFirstLap = true
    for index in 0..<Int(size) {
      let word = descriptors.load64(at: 16 &* index &+ 8)
      let flags = DescriptorFlags(rawValue: UInt16(truncatingIfNeeded: word >> 48))
      if flags.contains(.used) { return false }
      if word == 0, descriptors.load64(at: 16 &* index) == 0 { sawZero = true }
      if !flags.contains(.available) { allFirstLap = false }
    }
    return sawZero || (allFirstLap && !isMarked)
  }
}
