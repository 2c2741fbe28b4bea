// SPDX-License-Identifier: Apache-2.0

public import Memory
public import Timekeeping

/// One timer for each record of a pool, by its index, in memory that is given and may come from another process.
///
/// Two wheels. The fine one has 8192 slots of a tick, 32.8 µs, which is one turn, 268 ms: pacing and delayed acknowledgments are far
/// nearer than that, most retransmission timeouts not much further. The coarse one has 4096 slots of a turn, 18 minutes. What is
/// due in a later turn waits in a coarse slot, and is spread over the fine slots when its turn begins; what is due after the 18 minutes
/// waits in the last coarse slot, and then goes on. One wheel would not do: with ticks short enough for pacing it would look at every idle
/// timer several times a second, and with ticks long enough not to, nothing could be paced.
///
/// TCP moves a timeout back with each acknowledgment and seldom meets it, so a deadline that moves back is one store: the timer stays in
/// its slot, and is put into the right one when that slot's time comes. So it is with `cancel`. Only a nearer deadline moves a timer.
///
/// * A timer is due at the first tick at or after its deadline, so up to a tick late, never early. Within a tick there is no order.
/// * What is armed for a time that has come is due at the next tick, not at once: a timer that is always armed for the past is due once a
///   tick, and can't keep `popDue` busy.
/// * `popDue` takes a budget; what it did not get to is looked at by the next call, and until then late.
/// * A clock that jumped costs one look at each timer that was armed, not one at each tick.
///
///     offset   0  header of 64 bytes: magic, stride, capacity, highest index ever armed
///             64  u64 tick looked at next, u64 latest tick, u64 turn that was spread
///            128  bits of the slots that are not empty
///              .  u32 for each slot: its first timer
///              .  16 bytes for each timer: tick and slot, next, previous
///
/// Whoever opens memory of a process that is gone, killed at any moment, gets every timer that was armed; the slots are made again. But one
/// that was about to be handled is gone, so the records' own words count in the end. One thread at a time.
public struct TimerWheel: Sendable {
  /// How exact it is: 32,768 ns.
  public static let tick = Interval(nanoseconds: 1 << tickBits)
  /// What the region's address must be a multiple of.
  public static let alignment = 64

  private static let tickBits: Int64 = 15
  static let turnBits: UInt64 = 13
  static let fineSlots = 1 << Int(turnBits)
  static let coarseSlots = 4096
  /// "whee" in memory.
  private static let magic: UInt32 = 0x6565_6877
  private static let bitmapOffset = PoolHeader.byteCount + WheelState.byteCount
  private static let firstsOffset = bitmapOffset + SlotBitmap.byteCount(fineSlots) + SlotBitmap.byteCount(coarseSlots)
  /// A multiple of 64.
  private static let entriesOffset = (firstsOffset + (fineSlots + coarseSlots) * 4 + 63) / 64 * 64

  private let header: RecordBuffer<PoolHeader>
  let state: RecordBuffer<WheelState>
  let fine: SlotBitmap
  let coarse: SlotBitmap
  let firsts: RecordBuffer<RecordIndex>
  let entries: RecordBuffer<TimerEntry>

  /// Bytes that so many timers need.
  ///
  /// - Parameter capacity: the limit of the pool whose records have timers, from 1 to 4,294,967,294.
  public static func byteCount(capacity: Int) -> Int {
    precondition(capacity > 0 && capacity < UInt32.max, "a wheel has 1 to 2^32 - 2 timers")
    return entriesOffset + capacity * MemoryLayout<TimerEntry>.stride
  }

  /// A wheel in the first bytes of `region`.
  ///
  /// - Parameters:
  ///   - creating: whether to make one without timers of memory that is all zero. Else the one there is opened, which takes a look at
  ///     each timer that was ever armed.
  ///   - now: not earlier than any time that the memory has seen.
  public init(over region: ByteRegion, capacity: Int, creating: Bool, now: Instant) throws(ArenaError) {
    let needs = Self.byteCount(capacity: capacity)
    guard region.count >= needs else { throw .tooSmall(has: region.count, needs: needs) }
    guard region.isAligned(to: Self.alignment) else { throw .notAligned(to: Self.alignment) }
    header = RecordBuffer(over: region.slice(from: 0, count: PoolHeader.byteCount))
    state = RecordBuffer(over: region.slice(from: PoolHeader.byteCount, count: WheelState.byteCount))
    let bits = region.slice(from: Self.bitmapOffset, count: Self.firstsOffset - Self.bitmapOffset)
    fine = SlotBitmap(over: bits, count: Self.fineSlots)
    coarse = SlotBitmap(over: bits.suffix(from: SlotBitmap.byteCount(Self.fineSlots)), count: Self.coarseSlots)
    let slots = (Self.fineSlots + Self.coarseSlots) * MemoryLayout<RecordIndex>.stride
    firsts = RecordBuffer(over: region.slice(from: Self.firstsOffset, count: slots))
    entries = RecordBuffer(over: region.slice(from: Self.entriesOffset, count: needs - Self.entriesOffset))
    let latest = Self.ticks(now.nanoseconds, roundedUp: false)
    state[0] = WheelState(cursor: latest + 1, latest: latest, spread: (latest + 1) >> Self.turnBits)
    guard !creating else {
      header[0] = PoolHeader(magic: Self.magic, stride: MemoryLayout<TimerEntry>.stride, limit: capacity)
      return
    }
    try checkHeader(capacity)
    region.slice(from: Self.bitmapOffset, count: Self.entriesOffset - Self.bitmapOffset).fill(with: 0)
    queueAll()
  }

  private func checkHeader(_ capacity: Int) throws(ArenaError) {
    guard header[0].magic == Self.magic else { throw .notAnArena }
    let stride = MemoryLayout<TimerEntry>.stride
    guard header[0].stride == UInt32(stride), header[0].limit == UInt32(capacity) else {
      throw .otherShape(stride: Int(header[0].stride), limit: Int(header[0].limit))
    }
    guard header[0].highWater <= header[0].limit else { throw .damaged }
  }

  /// Puts every timer that was in a slot into one again.
  private func queueAll() {
    for number in 0..<header[0].highWater {
      let id = RecordIndex(rawValue: number + 1)
      let entry = entries[id.position]
      entries[id.position] = TimerEntry()
      guard entry.isQueued, entry.tick != TimerEntry.never else { continue }
      queue(id, due: entry.tick, notBefore: state[0].cursor)
    }
  }

  /// Timers that there can be.
  public var capacity: Int { entries.capacity }

  /// When the timer is due, rounded up to a tick; nil if it is not armed.
  public func deadline(of id: RecordIndex) -> Instant? {
    let entry = entries[id.position]
    guard entry.isQueued, entry.tick != TimerEntry.never else { return nil }
    return Self.instant(entry.tick)
  }

  /// Asks the processor for a timer that is wanted soon. Any index may be given.
  public func prefetch(_ id: RecordIndex) { entries.prefetch(id.position) }

  /// Sets the timer, earlier or later than it was; `id` is a record of the pool.
  public func arm(_ id: RecordIndex, at deadline: Instant) {
    let due = min(Self.ticks(deadline.nanoseconds, roundedUp: true), TimerEntry.never - 1)
    let earliest = state[0].latest &+ 1
    let entry = entries[id.position]
    if entry.isQueued {
      guard max(due, earliest) < time(ofSlot: entry.slot) else {
        entries[id.position].set(tick: due)
        return
      }
      unqueue(id, entry)
    } else if id.rawValue > header[0].highWater {
      header[0].highWater = id.rawValue
    }
    queue(id, due: due, notBefore: earliest)
  }

  /// Stops the timer, if it is armed.
  public func cancel(_ id: RecordIndex) {
    entries[id.position].set(tick: TimerEntry.never)
  }

  static func instant(_ tick: UInt64) -> Instant {
    Instant(nanoseconds: Int64(truncatingIfNeeded: min(tick, TimerEntry.never)) &<< tickBits)
  }

  /// Ticks since the clock's start; the time before it counts as that.
  static func ticks(_ nanoseconds: Int64, roundedUp: Bool) -> UInt64 {
    guard nanoseconds > 0 else { return 0 }
    let down = UInt64(nanoseconds) &>> UInt64(tickBits)
    return roundedUp && nanoseconds & (1 << tickBits - 1) != 0 ? down &+ 1 : down
  }
}
