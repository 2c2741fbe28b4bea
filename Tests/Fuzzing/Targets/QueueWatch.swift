// SPDX-License-Identifier: Apache-2.0

import Memory
import Virtio

/// What the device has taken from one queue and not given back, as its reads tell.
struct QueueWatch {
  /// A chain that was read. One that was put back and read again is here twice, the older one first.
  struct Taken {
    /// The entry of the available ring, or the first descriptor of a packed chain.
    let slot: Int
    var id: UInt16
    /// Octets that the device may write at most.
    var capacity: Int
    /// Descriptors of a packed chain in the ring.
    var slots: Int
  }

  let index: Int
  var size = 0
  var isRunning = false
  /// Somebody else may have written into the queue's own area: what stands there proves nothing.
  var isMuddled = false
  private(set) var taken: [Taken] = []
  private var isOpen = false
  /// The device's used index of a split ring.
  private var nextUsed = 0

  init(index: Int) { self.index = index }

  /// In `GuestStage.memory`.
  var area: Range<Int> { index * GuestStage.queueBytes..<(index + 1) * GuestStage.queueBytes }
  private var device: Int { area.lowerBound + GuestStage.deviceArea }

  /// Whether the device may write there of its own.
  func owns(_ place: Int, _ format: RingFormat) -> Bool {
    guard size > 0 else { return false }
    switch format {
    case .split: return place >= device && place < device + 6 + 8 * size
    case .packed:
      if place >= device, place < device + 4 { return true }
      let entry = place - area.lowerBound
      return entry >= 0 && entry < 16 * size && entry % 16 >= 8
    }
  }

  func isDeviceArea(_ place: Int) -> Bool { place >= device && place < device + 0x1000 }

  mutating func start(size: Int, nextUsed: Int) {
    self.size = size
    self.nextUsed = nextUsed
    isRunning = true
    isMuddled = false
    isOpen = false
    taken = []
  }

  mutating func stop() {
    isRunning = false
    taken = []
  }

  // MARK: - Taken

  mutating func turnBegins() { isOpen = false }

  /// Everything that was taken is given back or in the ring again.
  mutating func holdsNothing() { taken = [] }

  mutating func begin(slot: Int, id: UInt16) {
    forgetPutBack(slot)
    taken.append(Taken(slot: slot, id: id, capacity: 0, slots: 1))
  }

  /// What was taken from there before was put back, unless the ring has gone round once since.
  private mutating func forgetPutBack(_ slot: Int) {
    guard let previous = taken.lastIndex(where: { $0.slot == slot }) else { return }
    let distance = taken[previous...].reduce(0) { $0 + $1.slots }
    if distance % size != 0 { taken.removeSubrange(previous...) }
  }

  mutating func readPacked(_ entry: Int, id: UInt16, isLast: Bool) {
    if !isOpen {
      forgetPutBack(entry)
      taken.append(Taken(slot: entry, id: id, capacity: 0, slots: 0))
      isOpen = true
    }
    taken[taken.count - 1].id = id
    taken[taken.count - 1].slots += 1
    // A chain that never ends breaks the ring; the next read begins another.
    if isLast || taken[taken.count - 1].slots >= size { isOpen = false }
  }

  mutating func offer(_ length: Int) {
    guard !taken.isEmpty else { return }
    taken[taken.count - 1].capacity += length
  }

  // MARK: - Given back

  /// Compares what the device has given back since the last time with what it had taken.
  mutating func check(_ stage: GuestStage, _ format: RingFormat) throws(Finding) {
    guard isRunning, !isMuddled else { return }
    switch format {
    case .split: try checkSplit(stage)
    case .packed: try checkPacked(stage)
    }
  }

  private mutating func checkSplit(_ stage: GuestStage) throws(Finding) {
    guard stage.isWritten(device + 2, 2) else { return }
    let published = Int(stage.memory.load(UInt16.self, at: device + 2))
    let count = (published - nextUsed) & 0xffff
    try Finding.require(count <= taken.count, "queue \(index): \(count) buffers came back, \(taken.count) were taken")
    for _ in 0..<count {
      let entry = device + 4 + 8 * (nextUsed & (size - 1))
      // A later entry of the same batch may have overwritten it.
      let isLast = (published - nextUsed) & 0xffff <= size
      let id: UInt32 = stage.memory.load(at: entry)
      let length: UInt32 = stage.memory.load(at: entry + 4)
      // What was taken before and did not come back was put back.
      if isLast { taken.removeFirst(try find(nil, id, Int(length)) + 1) }
      nextUsed = (nextUsed + 1) & 0xffff
    }
  }

  /// A ring that its driver fills more than once before anything came back shows the last round only.
  private mutating func checkPacked(_ stage: GuestStage) throws(Finding) {
    var last: Int?
    for entry in 0..<size {
      let place = area.lowerBound + 16 * entry
      guard stage.isWritten(place + 8, 8) else { continue }
      let found = try find(
        entry, UInt32(stage.memory.load(UInt16.self, at: place + 12)),
        Int(stage.memory.load(UInt32.self, at: place + 8)))
      last = max(found, last ?? found)
    }
    // What was taken before and did not come back was put back, or is hidden behind a later round.
    if let last { taken.removeFirst(last + 1) }
  }

  /// The place in `taken` of what came back. `slot`: where it must have been; a split ring's two indices need not agree.
  private func find(_ slot: Int?, _ id: UInt32, _ length: Int) throws(Finding) -> Int {
    guard
      let found = taken.firstIndex(where: {
        $0.slot == (slot ?? $0.slot) && UInt32($0.id) == id && length <= $0.capacity
      })
    else {
      throw Finding(
        "queue \(index): buffer \(id) came back at \(slot ?? nextUsed) with \(length) octets; taken were \(taken)")
    }
    try Finding.require(
      index % 2 == 0 || length == 0, "queue \(index): \(length) octets were written to a transmitted buffer")
    return found
  }
}
