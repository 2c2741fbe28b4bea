// SPDX-License-Identifier: Apache-2.0

import Memory
public import Timekeeping

extension TimerWheel {
  /// When `popDue` should be called next; nil: no timer is in a slot. It may have come already.
  ///
  /// Never later than the tick of the nearest deadline. It may be earlier: once for each turn in which timers are due, and once for each slot
  /// in which there were only timers that have moved back or were cancelled. `popDue` moves these on, so whoever sleeps until then, calls
  /// it until it returns nil and asks again, is told a later time.
  public var nextDeadline: Instant? {
    let cursor = state[0].cursor
    if !firsts[fineSlot(cursor)].isNone || !isTurnSpread && !firsts[coarseSlot(turn)].isNone {
      return Self.instant(cursor)
    }
    let next = nextStop
    return next == .max ? nil : Self.instant(next)
  }

  /// A timer that is due, which is then no longer armed; nil: there is none, or the budget is used up.
  ///
  /// Call it until it returns nil. If the budget is 0 then, there may be more: go on in the next turn.
  ///
  /// - Parameters:
  ///   - budget: how many steps it may take, each a look at a timer or at a slot, in constant time. It is reduced by those taken.
  ///   - now: a time before that of an earlier call counts as that.
  public func popDue(budget: inout Int, now: Instant) -> RecordIndex? {
    advance(to: Self.ticks(now.nanoseconds, roundedUp: false))
    while budget > 0 && state[0].cursor <= state[0].latest {
      budget &-= 1
      guard isTurnSpread else {
        spreadOne()
        continue
      }
      let cursor = state[0].cursor
      let id = firsts[fineSlot(cursor)]
      guard !id.isNone else {
        state[0].cursor = min(nextStop, state[0].latest &+ 1)
        continue
      }
      let entry = entries[id.position]
      unqueue(id, entry)
      entries.prefetch(entry.next.position)
      guard entry.tick > cursor else {
        entries[id.position] = TimerEntry()
        return id
      }
      moveOn(id, entry)
    }
    return nil
  }

  /// Takes one timer out of the coarse slot of the turn that begins.
  private func spreadOne() {
    let id = firsts[coarseSlot(turn)]
    guard !id.isNone else {
      state[0].spread = turn
      return
    }
    let entry = entries[id.position]
    unqueue(id, entry)
    entries.prefetch(entry.next.position)
    moveOn(id, entry)
  }

  /// Puts a timer where it belongs by now; one that was cancelled nowhere.
  private func moveOn(_ id: RecordIndex, _ entry: TimerEntry) {
    guard entry.tick != TimerEntry.never else {
      entries[id.position] = TimerEntry()
      return
    }
    queue(id, due: entry.tick, notBefore: state[0].cursor)
  }

  /// The next tick after the cursor at which there is something to look at; `.max` if there is nothing.
  private var nextStop: UInt64 {
    let cursor = state[0].cursor
    var next = UInt64.max
    if let ticks = fine.distance(toNextBehind: fineSlot(cursor)) { next = cursor &+ UInt64(ticks) }
    if let turns = coarse.distance(toNextBehind: coarseSlot(turn) &- Self.fineSlots) {
      next = min(next, (turn &+ UInt64(turns)) &<< Self.turnBits)
    }
    return next
  }

  private func advance(to tick: UInt64) {
    guard tick > state[0].latest else { return }
    state[0].latest = tick
    let circle = UInt64(Self.coarseSlots) &<< Self.turnBits
    guard tick &- state[0].cursor > 2 * circle, tick > state[0].cursor else { return }
    // The clock jumped further than the wheels go round. Which slot a timer is in says no more when it is due, but the last
    // circle comes by all of them, and its deadline is in the timer.
    state[0].cursor = (tick &>> Self.turnBits) &<< Self.turnBits &- circle
    state[0].spread = turn &- 1
  }
}
