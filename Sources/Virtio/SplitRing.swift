// SPDX-License-Identifier: Apache-2.0

import Memory

/// The device's side of a split virtqueue (virtio 1.3, 2.7).
///
/// Buffers are given back in the order in which they came, so `VIRTIO_F_IN_ORDER` holds by construction.
struct SplitRing {
  let size: UInt16
  let descriptors: SharedRegion
  /// flags, idx, ring[size], used_event
  let available: SharedRegion
  /// flags, idx, ring[size] of (id, len), avail_event
  let used: SharedRegion
  let eventIndex: Bool

  /// Next entry of the available ring to take.
  var lastAvailable: UInt16
  /// Our used index; runs ahead of the published one while a batch is written.
  var usedIndex: UInt16
  /// The used index that the driver sees.
  private var published: UInt16
  /// The used index when the driver was last considered for a notification.
  var signalled: UInt16

  static func descriptorBytes(size: Int) -> Int { 16 * size }
  static func availableBytes(size: Int) -> Int { 6 + 2 * size }
  static func usedBytes(size: Int) -> Int { 6 + 8 * size }

  init(size: UInt16, areas: RingAreas, eventIndex: Bool, base: UInt16) {
    self.size = size
    descriptors = SharedRegion(areas.descriptors)
    available = SharedRegion(areas.driver)
    used = SharedRegion(areas.device)
    self.eventIndex = eventIndex
    lastAvailable = base
    usedIndex = used.load16(at: 2)
    signalled = usedIndex
    published = usedIndex
  }

  /// Goes to where the ring can be, if `base` is nowhere there: behind what was given back, up to what is available. DPDK's virtio-user
  /// always says 0, also to a back-end that takes over a ring in use. What was not given back is then taken again.
  mutating func correctBase() {
    let taken = Int(lastAvailable &- usedIndex)
    let waiting = Int(available.loadAcquire16(at: 2) &- lastAvailable)
    if taken + waiting > Int(size) { lastAvailable = usedIndex }
  }

  private var mask: UInt16 { size &- 1 }

  var hasAvailable: Bool { available.loadAcquire16(at: 2) != lastAvailable }

  /// A descriptor, each half read once.
  private struct Descriptor {
    let index: UInt16
    let address: UInt64
    /// Length, flags and next.
    let word: UInt64

    var length: UInt32 { UInt32(truncatingIfNeeded: word) }
    var flags: DescriptorFlags { DescriptorFlags(rawValue: UInt16(truncatingIfNeeded: word >> 32)) }
    var next: UInt16 { UInt16(truncatingIfNeeded: word >> 48) }
  }

  mutating func pop(
    limit: Int, direction: BufferDirection, memory: GuestMemory, into list: inout ChainList
  ) throws(QueueFault) -> Int {
    let start = lastAvailable
    let pending = available.loadAcquire16(at: 2) &- start
    guard pending <= size else { throw .availableIndexJump }
    let wanted = min(Int(pending), limit)
    let expected: DescriptorFlags = direction == .deviceWritable ? .write : []
    while true {
      let popped = Int(lastAvailable &- start)
      guard popped < wanted else { return popped }
      if !list.hasRoomForChain { list.compact() }
      guard list.hasRoomForChain else { return popped }
      guard let head = try popSingles(wanted &- popped, expected, memory.recent, into: &list) else { continue }
      var builder = ChainBuilder(memory: memory, list: list, direction: direction)
      walk(from: head, &builder)
      builder.finish(id: head.index, position: lastAvailable, slots: 1, into: &list)
      lastAvailable &+= 1
    }
  }

  /// Takes buffers of one descriptor each that lie in `region`, in few instructions: what drivers post to receive into,
  /// and small frames. Returns the first that is something else, as it was read.
  private mutating func popSingles(
    _ wanted: Int, _ expected: DescriptorFlags, _ region: GuestRegion, into list: inout ChainList
  ) throws(QueueFault) -> Descriptor? {
    let (descriptors, available, size, mask) = (descriptors, available, size, mask)
    var position = lastAvailable
    var singles = SingleBuffers(of: list, limit: wanted)
    defer {
      lastAvailable = position
      list.append(singles)
    }
    while !singles.isFull {
      let index = available.load16(at: 4 &+ 2 &* Int(position & mask))
      guard index < size else { throw .headOutOfRange }
      let head = Self.read(index, of: descriptors)
      guard head.flags.intersection([.next, .write, .indirect]) == expected, head.length > 0,
        let range = region.range(at: head.address, count: UInt64(head.length))
      else { return head }
      singles.append(range, id: index, position: position)
      position &+= 1
    }
    return nil
  }

  private func walk(from head: Descriptor, _ builder: inout ChainBuilder) {
    var descriptor = head
    // A chain has at most `size` descriptors; a loop ends here as unsound.
    for step in 1...size {
      if descriptor.flags.contains(.indirect) {
        // Direct descriptors may come before a table, none after it (2.7.5.3.1).
        guard !descriptor.flags.contains(.next) else { return builder.refuse() }
        return builder.addTable(address: descriptor.address, length: descriptor.length, format: .split)
      }
      builder.add(address: descriptor.address, length: descriptor.length, flags: descriptor.flags)
      guard builder.isSound, descriptor.flags.contains(.next) else { return }
      guard descriptor.next < size, step < size else { return builder.refuse() }
      descriptor = Self.read(descriptor.next, of: descriptors)
    }
  }

  @inline(__always)
  private static func read(_ index: UInt16, of descriptors: SharedRegion) -> Descriptor {
    Descriptor(
      index: index, address: descriptors.load64(at: 16 &* Int(index)),
      word: descriptors.load64(at: 16 &* Int(index) &+ 8))
  }

  /// Writes used elements for the first `count` chains of `list`, into which `written` bytes were written without gaps;
  /// the driver sees them with the next `publish`. Returns how many bytes the chains hold.
  mutating func push(_ count: Int, of list: borrowing ChainList, written: Int) -> Int {
    let (used, mask, first) = (used, mask, list.first)
    var (remaining, held, index) = (written, 0, usedIndex)
    for place in first..<(first &+ count) {
      let chain = list.chains[place]
      let length = min(remaining, chain.byteCount)
      let offset = 4 &+ 8 &* Int(index & mask)
      used.store32(UInt32(chain.id), at: offset)
      used.store32(UInt32(truncatingIfNeeded: length), at: offset &+ 4)
      remaining &-= length
      held &+= chain.byteCount
      index &+= 1
    }
    usedIndex = index
    return held
  }

  mutating func publish(_ log: RingLog) {
    if log.isOn { mark(in: log) }
    used.storeRelease16(usedIndex, at: 2)
    published = usedIndex
    if log.isOn { log.wroteDevice(at: 2, length: 2) }
  }

  /// Marks the used elements that were written since the last `publish`: they lie in one piece, or in two.
  private func mark(in log: RingLog) {
    let count = Int(usedIndex &- published)
    let first = Int(published & mask)
    let behind = min(count, Int(size) - first)
    log.wroteDevice(at: 4 + 8 * first, length: 8 * behind)
    log.wroteDevice(at: 4, length: 8 * (count - behind))
  }

  /// Whether the driver asks to hear of what was published since it was last considered (2.7.7, 2.7.10).
  mutating func needsNotification() -> Bool {
    let old = signalled
    signalled = usedIndex
    guard usedIndex != old else { return false }
    fullFence()
    guard eventIndex else { return available.load16(at: 0) & 1 == 0 }
    let event = available.load16(at: 4 &+ 2 &* Int(size))
    return usedIndex &- event &- 1 < usedIndex &- old
  }

  /// Asks the driver for a kick at the next buffer; true if one came meanwhile.
  func enableKicks(_ log: RingLog) -> Bool {
    if eventIndex {
      used.store16(lastAvailable, at: 4 &+ 8 &* Int(size))
      log.wroteDevice(at: 4 &+ 8 &* Int(size), length: 2)
    } else {
      used.store16(0, at: 0)
      log.wroteDevice(at: 0, length: 2)
    }
    fullFence()
    return hasAvailable
  }

  func disableKicks(_ log: RingLog) {
    // With the event index the last `avail_event` lies behind and no kick comes until it is moved on.
    guard !eventIndex else { return }
    used.store16(1, at: 0)
    log.wroteDevice(at: 0, length: 2)
  }
}
