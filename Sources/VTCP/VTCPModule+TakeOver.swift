// SPDX-License-Identifier: Apache-2.0

import Arena
import Timekeeping
import Wire

// What a process that is gone has left, killed at any moment (dangers 3 and 4).
//
// Nothing is believed but what was promised: which connections there are, how far each sender was acknowledged, how far each receiver
// has acknowledged, and the octets in between. These are single words, written in an order in which each is true when it is written, and
// buffers, whose changes can be taken back. All else is made anew from them: lists, timers, what is in flight. So what was on its way is
// sent once more; nobody waits for what nobody has.

extension VTCPModule {
  /// Goes on with the connections in memory.
  func takeOver(_ now: Instant) {
    store.takeBackChange()
    store.emptyLists()
    var isUsed = [Bool](repeating: false, count: store.chunks.highWater)
    var isWhole = true
    var broken: [RecordIndex] = []
    forEachFlow { flow in
      let record = store.flows[flow]
      // One that was only being made, or forgotten.
      guard identification.find(record.key) == flow else {
        return store.flows.free(flow)
      }
      store.flows[flow].listed = 0
      classify(flow, now)
      isWhole = true
      for sender in [Leg.guest, .network] where !takeOver(SideIndex(flow, sender: sender), now, &isUsed) {
        isWhole = false
      }
      if !isWhole { broken.append(flow) }
    }
    store.chunks.keepOnly(isUsed)
    forEachFlow { flow in
      for sender in [Leg.guest, .network] { store[SideIndex(flow, sender: sender)].buffer.endList(in: store.chunks) }
    }
    beginAllSending(now)
    listByAge()
    for flow in broken { abandon(flow, towards: [.guest, .network]) }
    forEachFlow { flow in
      for leg in [Leg.guest, .network] where store.flows[flow].resetDue & (1 &<< leg.rawValue) != 0 {
        store.append(flow, to: FlowList(towards: leg))
      }
      schedule(flow, now)
    }
  }

  /// False if what was promised to the sender is not there.
  private func takeOver(_ index: SideIndex, _ now: Instant, _ isUsed: inout [Bool]) -> Bool {
    let left = store[index]
    store[index].flags.subtract([.probeDue, .resent, .windowReduced])
    store[index].timeouts = 0
    store[index].lastHeard = CoarseInstant(now)
    guard left.isOurs else {
      store[index].state = .passThrough
      store[index].buffer = PacketBuffer(at: left.expected)
      return true
    }
    let promised = SequenceNumber.later(left.acknowledged, left.unacknowledged)
    let isThere = store[index].buffer.takeOver(
      keepsLater: !left.sending.isNone, in: store.chunks, marking: &isUsed)
    if !isThere || left.buffer.start > left.unacknowledged || left.buffer.end < promised {
      store[index].buffer = PacketBuffer(at: promised)
      guard promised == left.unacknowledged else { return false }
    }
    // What came after has only the sender, or the receiver as well, who will say so.
    let end = store[index].buffer.end
    store[index].highest = SequenceNumber.later(left.highest, .later(left.next, left.expected))
    store[index].next = left.unacknowledged
    store[index].expected = end
    store[index].acknowledged = promised
    if left.finSequence >= end { store[index].flags.remove(.finSeen) }
    store[index].state = .draining
    store[index].reason = .none
    store[index].flags.insert(.acknowledgmentDue)
    return true
  }

  /// What the sides have said of data out of order stays true; the rest of what they need to send begins anew.
  private func beginAllSending(_ now: Instant) {
    var said: [(side: SideIndex, later: SACKBlocks)] = []
    forEachFlow { flow in
      for sender in [Leg.guest, .network] {
        let index = SideIndex(flow, sender: sender)
        let sending = store[index].sending
        store[index].sending = .none
        guard store[index].isOurs else { continue }
        said.append((index, sending.isNone ? SACKBlocks() : store.sendings.unmarked(sending).later))
      }
    }
    for (index, later) in said {
      guard beginSending(index, at: store[index].unacknowledged, now) else { continue }
      if store[index].buffer.hasLater { store.sendings[store[index].sending].later = later }
    }
  }

  private func listByAge() {
    var flows: [(flow: RecordIndex, seen: Instant)] = []
    forEachFlow { flows.append(($0, store.flows[$0].lastSeen.instant)) }
    for entry in flows.sorted(by: { $0.seen < $1.seen }) { store.append(entry.flow, to: .age) }
  }
}
