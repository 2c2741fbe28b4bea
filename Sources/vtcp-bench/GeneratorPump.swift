// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling

/// One virtqueue of the generator: what comes back is made available again.
final class GeneratorPump {
  private static let headerBytes = 12

  private(set) var frames: UInt64 = 0
  private(set) var bytes: UInt64 = 0
  private(set) var kicks: UInt64 = 0

  private let kick: Int32
  private let slots: FrameSlots
  private let isMerged: Bool
  private let length: Int
  private var ring: DriverQueue
  /// Buffers of a received frame that are still to come.
  private var expected = 0

  /// Makes everything available. `length`: bytes of a buffer that are offered.
  init(kick: Int32, ring: DriverQueue, slots: FrameSlots, isMerged: Bool, length: Int) {
    self.kick = kick
    self.ring = ring
    self.slots = slots
    self.isMerged = isMerged
    self.length = length
    for slot in 0..<ring.size { slots.offer(slot, count: length, to: &self.ring) }
    self.ring.publish()
  }

  /// Looks up to `rounds` times whether `least` buffers have come back, and handles up to `budget` each time. Returns
  /// whether there were any at the last look.
  func run(rounds: Int, atLeast least: Int, budget: Int) -> Bool {
    var isBusy = false
    for _ in 0..<rounds {
      isBusy = ring.hasUsed(least)
      if isBusy { handle(budget: budget) }
    }
    return isBusy
  }

  /// Publishes what it made available again, and kicks if asked to.
  @inline(__always)
  private func handle(budget: Int) {
    var left = budget
    while left > 0, let used = ring.takeUsed() {
      count(used)
      slots.offer(used.slot, count: length, to: &ring)
      left &-= 1
    }
    ring.publish()
    guard ring.needsKick() else { return }
    kicks &+= 1
    EventDescriptor.signal(kick)
  }

  @inline(__always)
  private func count(_ used: DriverQueue.Used) {
    guard slots.isWritable else {
      frames &+= 1
      bytes &+= UInt64(length &- Self.headerBytes)
      return
    }
    bytes &+= UInt64(used.length)
    if expected > 0 {
      expected &-= 1
      return
    }
    frames &+= 1
    bytes &-= UInt64(Self.headerBytes)
    if isMerged { expected = max(Int(slots.buffer(used.slot).load(UInt16.self, at: 10)), 1) &- 1 }
  }

  func refuseInterrupts() { ring.refuseInterrupts() }

  /// False if what is to be waited for has happened. Transmit waits for half of the ring.
  func wantInterrupt() -> Bool { ring.wantInterrupt(after: slots.isWritable ? 1 : max(ring.size / 2, 1)) }
}
