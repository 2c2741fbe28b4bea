// SPDX-License-Identifier: Apache-2.0

import Arena
import Memory
import Packets
import TCPPolicy
import Wire

// The room for data that come ahead of their turn (R23). They are kept and said to be there (RFC 2018), but never acknowledged; what was
// said once stays true until the gap is filled, for which chunks are set aside.

extension VTCPModule {
  /// Keeps what came out of order, if policy and room let it.
  func storeLater(_ index: SideIndex, _ packet: Packet) -> Bool {
    let side = store[index]
    let wanted = Int(policy(index).configuration.outOfOrderStoreSize)
    // At a rate something always waits here, and nothing can pass beside it: what was lost would have all sent again that follows.
    let room = max(wanted, shapedRoom(index) ?? 0)
    guard room > 0, !isQuiescing, side.isContiguous, !side.sending.isNone, packet.segment.payloadCount > 0,
      side.flags.isDisjoint(with: [.finSeen, .fragmented]), isOrdinary(packet)
    else { return false }
    guard packet.dataEnd - side.buffer.end <= room,
      packet.dataEnd <= .later(side.shownEdge, side.receiverEdge) + 1 &<< Int(side.receiverScale)
    else { return false }
    let range = SequenceRange(start: packet.start, end: packet.dataEnd)
    let known = side.buffer.hasLater ? store.sendings[side.sending].later : SACKBlocks()
    if known.covers(range) { store.sendings[side.sending].duplicate = range }
    guard let merged = known.inserting(range) else { return false }
    var cursor = PayloadCursor(packet.frame, from: packet.segment.payloadOffset)
    var checksum = TransportChecksum(packet.frame.head, packet.layout, packet.segment)
    let isTrusted = packet.frame.needsChecksum || packet.frame.isVerified
    store.beginChange(index)
    defer { store.endChange() }
    let isStored = store[index].buffer.store(
      &cursor, at: range.start, count: range.count, checksum: &checksum, sums: !isTrusted, in: store.chunks)
    guard isStored, isTrusted || checksum.isValid else {
      // It may have been written over what was whole. Without room nothing was.
      if isStored || !side.buffer.hasLater {
        store[index].buffer.truncate(to: store[index].buffer.count, in: store.chunks)
      }
      return false
    }
    store.sendings[side.sending].later = merged
    counters.storedSegments &+= 1
    return true
  }

  /// The gap, or a part of it, is filled: what follows without one is in order now.
  ///
  /// - Parameter filled: the receiver has everything before it; nil: nothing that is not held.
  func takeLater(_ index: SideIndex, from filled: SequenceNumber? = nil) {
    guard store[index].buffer.hasLater else { return }
    store.beginChange(index)
    defer { store.endChange() }
    if let filled { store[index].buffer.extend(to: filled, in: store.chunks) }
    let sending = store[index].sending
    var rest = SACKBlocks()
    var isMore = true
    while isMore {
      isMore = false
      let known = store.sendings[sending].later
      rest = SACKBlocks()
      for place in 0..<known.count {
        if known[place].start <= store[index].buffer.end {
          store[index].buffer.extend(to: known[place].end, in: store.chunks)
          isMore = true
        } else {
          rest.append(known[place])
        }
      }
      store.sendings[sending].later = rest
    }
    store.sendings[sending].duplicatesDue = 0
    if store[index].isOurs { store[index].expected = .later(store[index].expected, store[index].buffer.end) }
  }

  /// Takes back what was said to be there. The sender keeps it until it is acknowledged (RFC 2018 §8).
  func discardLater(_ index: SideIndex) {
    guard store[index].buffer.hasLater else { return }
    store.beginChange(index)
    defer { store.endChange() }
    store[index].buffer.truncate(to: store[index].buffer.count, in: store.chunks)
  }

  /// What an acknowledgment to the sender of `index` says beside its number.
  func blocksToReport(_ index: SideIndex) -> SACKBlocks {
    let side = store[index]
    var blocks = SACKBlocks()
    guard side.isOurs, side.flags.contains(.sackPermitted), !side.sending.isNone else { return blocks }
    let duplicate = store.sendings[side.sending].duplicate
    if !duplicate.isEmpty { blocks.append(duplicate) }
    guard side.buffer.hasLater else { return blocks }
    let later = store.sendings[side.sending].later
    for place in 0..<later.count { blocks.append(later[place]) }
    return blocks
  }
}

extension SACKBlocks {
  func covers(_ range: SequenceRange) -> Bool {
    for place in 0..<count where self[place].start <= range.start && self[place].end >= range.end { return true }
    return false
  }

  /// `range` first, one with those that it touches, then the others. Nil if they are too many.
  func inserting(_ range: SequenceRange) -> SACKBlocks? {
    var whole = range
    for place in 0..<count where self[place].start <= whole.end && self[place].end >= whole.start {
      whole = SequenceRange(start: .earlier(whole.start, self[place].start), end: .later(whole.end, self[place].end))
    }
    var result = SACKBlocks()
    result.append(whole)
    for place in 0..<count where self[place].start > whole.end || self[place].end < whole.start {
      guard result.append(self[place]) else { return nil }
    }
    return result
  }
}
