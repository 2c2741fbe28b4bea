// SPDX-License-Identifier: Apache-2.0

import Memory
import Timekeeping
import Wire

/// Chooses the receive queue of a frame when the uplink doesn't: the queue pair on which the guest last sent frames of
/// the same flow (virtio 1.3, 5.1.6.5.6, "automatic receive steering"), or by hash for flows it has not sent.
///
/// Flows share `size` slots by hash; two that collide share a queue, which costs balance, never order. A flow moves to
/// another queue only after a pause in what it received: frames that wait in the old queue stay before those in the new.
struct FlowSteering {
  private struct Slot: BitwiseCopyable {
    /// Queue pair + 1; 0: nothing learned.
    var pair: UInt32 = 0
    /// When a frame was last steered here, in microseconds.
    var lastReceive: UInt32 = 0
  }

  private static let size = 4096
  /// Longer than a guest leaves frames in a queue that it serves. Microseconds.
  private static let pause: UInt32 = 10_000

  private let slots = RecordBuffer<Slot>(capacity: size, repeating: Slot())

  func deallocate() { slots.deallocate() }

  /// The guest sent a frame of a flow with this hash on `pair`.
  func learn(_ hash: UInt32, pair: Int, now: Instant) {
    let index = Int(hash) & (Self.size - 1)
    let learned = UInt32(truncatingIfNeeded: pair + 1)
    guard slots[index].pair != learned else { return }
    guard slots[index].pair == 0 || Self.clock(now) &- slots[index].lastReceive > Self.pause else { return }
    slots[index].pair = learned
  }

  /// The queue pair, below `active`, for a frame of a flow with this hash.
  func pair(for hash: UInt32, active: Int, now: Instant) -> Int {
    let index = Int(hash) & (Self.size - 1)
    slots[index].lastReceive = Self.clock(now)
    let learned = Int(slots[index].pair) - 1
    if learned >= 0, learned < active { return learned }
    return Int(hash >> 16) % max(active, 1)
  }

  private static func clock(_ now: Instant) -> UInt32 { UInt32(truncatingIfNeeded: now.nanoseconds / 1000) }
}
