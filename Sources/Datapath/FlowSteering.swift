// SPDX-License-Identifier: Apache-2.0

import Memory
import Timekeeping
import Wire

/// Knows on which queue pair each flow is: the one on which the guest sent it (virtio 1.3, 5.1.6.5.6, "automatic receive
/// steering"), or by hash if it has not sent any of it.
///
/// Where the uplink has one queue, frames to the guest are steered here. Where it is a TAP with a queue for each pair,
/// the kernel steers: a frame to the guest comes on the queue on which a frame of its flow was last written. So frames
/// are written on the flow's queue as it is known here, not on that of the transmitq that they came from, and the rule
/// below holds there too.
///
/// A flow moves to another queue pair only after a pause: else frames that still wait in the old receiveq could be
/// overtaken by those in the new one, each time the guest's scheduler moves a thread. Flows share `size` slots by hash;
/// two that collide share a queue, which costs balance, never order.
struct FlowSteering {
  private struct Slot: BitwiseCopyable {
    /// Queue pair + 1; 0: nothing learned.
    var pair: UInt32 = 0
    /// When a frame of the flow last passed, in either direction. Microseconds.
    var lastSeen: UInt32 = 0
  }

  static let size = 4096
  /// Longer than a guest that runs leaves frames in a queue. Microseconds.
  private static let pause: UInt32 = 50_000

  private let slots = RecordBuffer<Slot>(capacity: size, repeating: Slot())

  func deallocate() { slots.deallocate() }

  /// The guest sent a frame of a flow with this hash on `pair`. Returns the pair on which the flow is.
  func learn(_ hash: UInt32, pair: Int, now: Instant) -> Int {
    let index = Int(hash) & (Self.size - 1)
    let time = Self.clock(now)
    if slots[index].pair == 0 || time &- slots[index].lastSeen > Self.pause {
      slots[index].pair = UInt32(truncatingIfNeeded: pair + 1)
    }
    slots[index].lastSeen = time
    return Int(slots[index].pair) - 1
  }

  /// The queue pair, below `active`, for a frame to the guest of a flow with this hash.
  func pair(for hash: UInt32, active: Int, now: Instant) -> Int {
    let index = Int(hash) & (Self.size - 1)
    slots[index].lastSeen = Self.clock(now)
    let learned = Int(slots[index].pair) - 1
    if learned >= 0, learned < active { return learned }
    return Int(hash >> 16) % max(active, 1)
  }

  /// The pair of each slot that has one.
  var learned: [(slot: Int, pair: Int)] {
    (0..<Self.size).compactMap { slots[$0].pair == 0 ? nil : ($0, Int(slots[$0].pair) - 1) }
  }

  /// Goes on with what was learned elsewhere; all flows count as seen `now`, since frames of theirs may be in a receiveq.
  func goOn(with learned: [(slot: Int, pair: Int)], now: Instant) {
    for index in 0..<Self.size { slots[index] = Slot() }
    for (slot, pair) in learned where (0..<Self.size).contains(slot) {
      slots[slot] = Slot(pair: UInt32(truncatingIfNeeded: pair + 1), lastSeen: Self.clock(now))
    }
  }

  private static func clock(_ now: Instant) -> UInt32 { UInt32(truncatingIfNeeded: now.nanoseconds / 1000) }
}
