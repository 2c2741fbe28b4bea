// SPDX-License-Identifier: Apache-2.0

import Memory
import Timekeeping

/// Slots are numbered from 0, the fine ones first.
extension TimerWheel {
  /// The turn in which the tick is that is looked at next.
  var turn: UInt64 { state[0].cursor &>> Self.turnBits }

  /// Whether timers of this turn still wait in its coarse slot.
  var isTurnSpread: Bool { state[0].spread == turn }

  func coarseSlot(_ turn: UInt64) -> Int { Self.fineSlots &+ Int(turn & UInt64(Self.coarseSlots &- 1)) }

  func fineSlot(_ tick: UInt64) -> Int { Int(tick & UInt64(Self.fineSlots &- 1)) }

  /// Where a timer that is due at a tick, not before the cursor, belongs.
  func slot(for tick: UInt64) -> Int {
    guard tick &- state[0].cursor >= UInt64(Self.fineSlots) else { return fineSlot(tick) }
    // One turn less than there are slots: this turn's may still be full.
    return coarseSlot(min(tick &>> Self.turnBits, turn &+ UInt64(Self.coarseSlots &- 1)))
  }

  /// The tick at which a slot is looked at next.
  func time(ofSlot slot: Int) -> UInt64 {
    let cursor = state[0].cursor
    guard slot >= Self.fineSlots else {
      return cursor &+ UInt64((slot &- fineSlot(cursor)) & (Self.fineSlots &- 1))
    }
    let turns = UInt64((slot &- coarseSlot(turn)) & (Self.coarseSlots &- 1))
    return turns == 0 ? cursor : (turn &+ turns) &<< Self.turnBits
  }

  /// Puts a timer that is in no slot into the one where it belongs.
  func queue(_ id: RecordIndex, due: UInt64, notBefore earliest: UInt64) {
    let slot = slot(for: max(due, earliest))
    let first = firsts[slot]
    firsts[slot] = id
    entries[id.position].set(tick: due, slot: slot)
    entries[id.position].next = first
    entries[id.position].previous = .none
    guard first.isNone else {
      entries[first.position].previous = id
      return
    }
    if slot < Self.fineSlots { fine.set(slot) } else { coarse.set(slot &- Self.fineSlots) }
  }

  /// Takes a timer out of its slot; `entry` is what it is. It must be queued anew, or emptied.
  func unqueue(_ id: RecordIndex, _ entry: TimerEntry) {
    if !entry.next.isNone { entries[entry.next.position].previous = entry.previous }
    guard entry.previous.isNone else {
      entries[entry.previous.position].next = entry.next
      return
    }
    let slot = entry.slot
    firsts[slot] = entry.next
    guard entry.next.isNone else { return }
    if slot < Self.fineSlots { fine.clear(slot) } else { coarse.clear(slot &- Self.fineSlots) }
  }
}
