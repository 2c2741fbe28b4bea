// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling
import Virtio

/// Frames from a receiveq into a TAP: what a driver's poll function does, where the TAP's interface is the guest's stack.
///
/// Interrupts are refused while it works. A frame's buffers go back into the ring behind it; they are published, and a
/// kick considered, 16 at a time.
final class ReceivePump {
  private static let batchBuffers = 16
  private static let headerBytes = 12
  /// 64 KiB in buffers of 1,536 bytes are 43.
  private static let maximumBuffers = 64
  private static let patience = 10_000_000

  private(set) var frames: UInt64 = 0
  private(set) var bytes: UInt64 = 0
  private(set) var kicks: UInt64 = 0
  /// Frames that the TAP did not take or that were not whole.
  private(set) var dropped: UInt64 = 0

  private let tap: Int32
  private let kick: Int32
  private let slots: FrameSlots
  private let isMerged: Bool
  private var ring: DriverQueue
  private let vectors = RecordBuffer(capacity: maximumBuffers, repeating: IOVector.none)
  private let taken = RecordBuffer(capacity: maximumBuffers, repeating: UInt16(0))
  private var unpublished = 0

  /// Offers all buffers.
  init(tap: Int32, kick: Int32, ring: DriverQueue, slots: FrameSlots, isMerged: Bool) {
    self.tap = tap
    self.kick = kick
    self.ring = ring
    self.slots = slots
    self.isMerged = isMerged
    for slot in 0..<ring.size { slots.offer(slot, count: slots.capacity, to: &self.ring) }
    self.ring.publish()
  }

  deinit {
    vectors.deallocate()
    taken.deallocate()
  }

  /// Moves up to `budget` frames. True if there may be more.
  func run(budget: Int) -> Bool {
    var left = budget
    while left > 0, let first = ring.takeUsed() {
      deliver(first)
      left &-= 1
      if unpublished >= Self.batchBuffers { giveBack() }
    }
    giveBack()
    return left == 0
  }

  func refuseInterrupts() { ring.refuseInterrupts() }

  /// Asks for an interrupt at the next frame. False if there is one.
  func wantInterrupt() -> Bool { ring.wantInterrupt(after: 1) }

  @inline(__always)
  private func deliver(_ first: DriverQueue.Used) {
    let buffer = slots.buffer(first.slot)
    let count = isMerged ? Int(buffer.load(UInt16.self, at: 10)) : 1
    guard count > 0, count <= Self.maximumBuffers else {
      dropped &+= 1
      return offer(first.slot)
    }
    taken[0] = UInt16(truncatingIfNeeded: first.slot)
    vectors[0] = IOVector(buffer.slice(from: 0, count: first.length))
    var total = first.length
    var index = 1
    while index < count, let part = nextPart() {
      taken[index] = UInt16(truncatingIfNeeded: part.slot)
      vectors[index] = IOVector(slots.buffer(part.slot).slice(from: 0, count: part.length))
      total &+= part.length
      index &+= 1
    }
    if index == count, SystemCalls.write(tap, vectors, count: count) == total {
      frames &+= 1
      bytes &+= UInt64(total &- Self.headerBytes)
    } else {
      dropped &+= 1
    }
    for index in 0..<index { offer(Int(taken[index])) }
  }

  /// The next buffer of a frame whose first one is here: a device may show them one after the other.
  @inline(__always)
  private func nextPart() -> DriverQueue.Used? {
    for _ in 0..<Self.patience {
      if let part = ring.takeUsed() { return part }
      spinPause()
    }
    return nil
  }

  @inline(__always)
  private func offer(_ slot: Int) {
    slots.offer(slot, count: slots.capacity, to: &ring)
    unpublished &+= 1
  }

  private func giveBack() {
    guard unpublished > 0 else { return }
    unpublished = 0
    ring.publish()
    guard ring.needsKick() else { return }
    kicks &+= 1
    EventDescriptor.signal(kick)
  }
}
