// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling
import Virtio

/// Frames from a TAP into a transmitq: what a driver's `ndo_start_xmit` does, where the TAP's reader is the guest's
/// stack.
///
/// As Linux's driver does, it takes used buffers back when it needs some, and has itself interrupted only when there
/// are none left, at three quarters of what is in flight. A frame is published at once; a kick is considered after a
/// batch, which ends after 16 frames, after 64 KiB, or when the TAP is empty.
final class TransmitPump {
  private static let batchFrames = 16
  private static let batchBytes = 65_536
  private static let headerBytes = 12

  private(set) var frames: UInt64 = 0
  private(set) var bytes: UInt64 = 0
  private(set) var kicks: UInt64 = 0
  /// The TAP may have a frame. Its poll event is by the edge.
  var isTapReadable = true
  private var isWaitingForBuffers = false

  private let tap: Int32
  private let kick: Int32
  private let slots: FrameSlots
  private var ring: DriverQueue
  /// Slots that are free: the first `freeCount`. The one used last is taken first, as it is the warmest.
  private let free: RecordBuffer<UInt16>
  private var freeCount: Int

  init(tap: Int32, kick: Int32, ring: DriverQueue, slots: FrameSlots) {
    self.tap = tap
    self.kick = kick
    self.ring = ring
    self.slots = slots
    freeCount = ring.size
    free = RecordBuffer(capacity: ring.size, repeating: 0)
    for index in 0..<freeCount { free[index] = UInt16(truncatingIfNeeded: freeCount - 1 - index) }
    ring.refuseInterrupts()
  }

  deinit { free.deallocate() }

  /// The device has interrupted: buffers may have come back.
  func interrupted() {
    guard isWaitingForBuffers else { return }
    isWaitingForBuffers = false
    ring.refuseInterrupts()
  }

  /// Moves up to `budget` frames. True if there may be more to do at once.
  func run(budget: Int) -> Bool {
    guard isTapReadable, !isWaitingForBuffers else { return false }
    reclaim()
    var inBatch = (frames: 0, bytes: 0)
    for _ in 0..<budget {
      guard freeCount > 0 || hasReclaimed() else { break }
      let slot = Int(free[freeCount &- 1])
      let count = SystemCalls.read(tap, into: slots.buffer(slot))
      guard count > Self.headerBytes else {
        isTapReadable = false
        break
      }
      freeCount &-= 1
      slots.offer(slot, count: count, to: &ring)
      ring.publish()
      frames &+= 1
      bytes &+= UInt64(count &- Self.headerBytes)
      inBatch.frames &+= 1
      inBatch.bytes &+= count
      guard inBatch.frames == Self.batchFrames || inBatch.bytes >= Self.batchBytes else { continue }
      kickIfNeeded()
      inBatch = (0, 0)
    }
    kickIfNeeded()
    return isTapReadable && !isWaitingForBuffers
  }

  private func reclaim() {
    while let used = ring.takeUsed(), freeCount < free.capacity {
      free[freeCount] = UInt16(truncatingIfNeeded: used.slot)
      freeCount &+= 1
    }
  }

  /// Looks once more, and waits for an interrupt if there is no buffer.
  private func hasReclaimed() -> Bool {
    kickIfNeeded()
    reclaim()
    guard freeCount == 0 else { return true }
    isWaitingForBuffers = ring.wantInterrupt(after: max(ring.size * 3 / 4, 1))
    guard !isWaitingForBuffers else { return false }
    ring.refuseInterrupts()
    reclaim()
    return freeCount > 0
  }

  private func kickIfNeeded() {
    guard ring.needsKick() else { return }
    kicks &+= 1
    EventDescriptor.signal(kick)
  }
}
