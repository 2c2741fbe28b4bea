// SPDX-License-Identifier: Apache-2.0

import Memory
import Virtio

/// Follows what the device reads of the guest's memory, and changes it between two reads where the input says so.
///
/// From the reads it knows, octet for octet, what the device was offered: which chains, and which memory to write to.
final class ReadWatch {
  /// A change of one octet after the `countdown`th read from now: at `place`, or of what was read there.
  struct Flip {
    enum Target {
      case place(Int)
      case read(offset: Int)
    }

    var countdown: Int
    let target: Target
    let bits: UInt8
  }

  /// The one that the probe tells. Only the thread that runs an input sets or uses it, see `install`.
  nonisolated(unsafe) static var current: ReadWatch?

  let stage: GuestStage
  let format: RingFormat
  var queues: [QueueWatch]
  /// Which octets of `GuestStage.memory` lie in buffers that the device was offered to write: 1.
  private let writable = ByteRegion.allocate(count: GuestStage.guestBytes + GuestStage.hole)
  var flips: [Flip] = []
  /// Reads since the turn began.
  private(set) var reads = 0
  private var previous = (place: -1, value: UInt64(0))
  /// What was read last.
  private var latest = 0..<1
  /// The queue whose chain is being read.
  private var reader = 0
  var isWatching = false
  /// Pages that are written have to be marked.
  var isLogging = false

  /// The most reads in a turn: a budget of frames for each queue, each in a chain of the longest kind.
  static let mostReads = 4_000_000

  init(_ stage: GuestStage, _ format: RingFormat) {
    self.stage = stage
    self.format = format
    queues = [QueueWatch(index: 0), QueueWatch(index: 1)]
  }

  /// The probe calls on any thread of the process, since other tests read memory too: theirs is sorted out first.
  static func install() {
    _ = GuestStage.shared
    ReadProbe.install { address, count, isLoad in
      let memory = GuestStage.shared.memory
      let place = UInt(bitPattern: address) &- UInt(bitPattern: memory.base)
      guard place < UInt(memory.count) else { return }
      ReadWatch.current?.willRead(Int(place), count, isLoad)
    }
  }

  deinit { writable.deallocate() }

  func turnBegins() {
    reads = 0
    previous.place = -1
    for index in queues.indices { queues[index].turnBegins() }
  }

  private func willRead(_ place: Int, _ count: Int, _ isLoad: Bool) {
    guard isWatching else { return }
    reads += 1
    applyFlips()
    latest = place..<min(place + max(count, 1), stage.memory.count)
    guard isLoad else { return }
    switch count {
    case 2: readIndex(place)
    case 8: readWord(place)
    default: break
    }
  }

  private func applyFlips() {
    guard !flips.isEmpty else { return }
    for flip in flips where flip.countdown <= 0 {
      let place =
        switch flip.target {
        case .place(let place): place
        case .read(let offset): latest.lowerBound + offset % latest.count
        }
      // What the device writes itself proves nothing when somebody else writes there too.
      if stage.flip(place, flip.bits) || queues.contains(where: { $0.isDeviceArea(place) }) {
        muddle(place..<place + 1)
      }
    }
    flips.removeAll { $0.countdown <= 0 }
    for index in flips.indices { flips[index].countdown -= 1 }
  }

  /// A queue whose own area somebody else may have written meanwhile can't be judged any more.
  func muddle(_ range: Range<Int>) {
    for index in queues.indices where queues[index].area.overlaps(range) { queues[index].isMuddled = true }
  }

  /// The entry of a split ring's available ring: a chain begins.
  private func readIndex(_ place: Int) {
    guard format == .split else { return }
    for index in queues.indices {
      let first = queues[index].area.lowerBound + GuestStage.driverArea + 4
      guard place >= first, place < first + 2 * queues[index].size else { continue }
      reader = index
      queues[index].begin(slot: (place - first) / 2, id: stage.memory.load(at: place))
    }
  }

  /// A descriptor is read as two words, one after the other.
  private func readWord(_ place: Int) {
    guard place == previous.place + 8 else {
      previous = (place, stage.memory.load(at: place))
      return
    }
    let descriptor = previous
    previous.place = -1
    let word: UInt64 = stage.memory.load(at: place)
    let flags = UInt16(truncatingIfNeeded: format == .split ? word >> 32 : word >> 48)
    let length = Int(UInt32(truncatingIfNeeded: word))
    if format == .packed {
      for index in queues.indices {
        let entry = descriptor.place - queues[index].area.lowerBound
        guard entry >= 0, entry < 16 * queues[index].size else { continue }
        reader = index
        queues[index].readPacked(
          entry / 16, id: UInt16(truncatingIfNeeded: word >> 32), isLast: flags & 1 == 0)
      }
    }
    if flags & 4 != 0 {
      // A table inside a ring: its entries can't be told from the ring's.
      for range in ranges(descriptor.value, length) { muddle(range) }
    } else if flags & 2 != 0 {
      queues[reader].offer(length)
      for range in ranges(descriptor.value, length) {
        writable.slice(from: range.lowerBound, count: range.count).fill(with: 1)
        muddle(range)
      }
    }
  }

  /// The parts of `memory` that a range of guest addresses is.
  private func ranges(_ address: UInt64, _ length: Int) -> [Range<Int>] {
    let start = address &- GuestStage.guestAddress
    guard start < UInt64(GuestStage.guestBytes), length > 0 else { return [] }
    let offset = Int(start)
    let end = min(offset + length, GuestStage.guestBytes)
    let border = GuestStage.regionBytes
    var parts: [Range<Int>] = []
    if offset < border { parts.append(offset..<min(end, border)) }
    if end > border { parts.append(GuestStage.place(max(offset, border))..<end + GuestStage.hole) }
    return parts
  }

  /// Whether a buffer that the device was offered lies in there.
  func isOffered(_ places: Range<Int>) -> Bool { places.contains { writable.load(UInt8.self, at: $0) == 1 } }

  /// What the device has written lies in buffers that it was offered, or in its own areas.
  func acknowledge(_ places: Range<Int> = GuestStage.rings) throws(Finding) {
    // With a log everything is looked at each time, and the front-end takes what is marked.
    let places = isLogging ? 0..<stage.memory.count : places
    try stage.acknowledge(places, offered: writable, isLogged: isLogging) { place in
      queues.contains { $0.owns(place, format) }
    }
    stage.dirtyLog.fill(with: 0)
  }
}
