// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling
import Virtio
import Wire

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
  /// VIRTIO_NET_HDR_F_NEEDS_CSUM and VIRTIO_NET_HDR_F_DATA_VALID.
  private static let needsChecksum: UInt8 = 1
  private static let dataValid: UInt8 = 2
  private static let checksumFlags = needsChecksum | dataValid

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
    if buffer.load(UInt8.self, at: 0) & Self.checksumFlags == Self.dataValid {
      trustChecksum(buffer.slice(from: 0, count: first.length))
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

  /// A driver believes a device that calls a checksum valid (virtio 1.3, 5.1.6.4.1); a TAP does not read that mark. "Not
  /// yet computed" makes the kernel behind the TAP believe it, too.
  @inline(never)
  private func trustChecksum(_ buffer: ByteRegion) {
    guard buffer.count > Self.headerBytes else { return }
    let frame = buffer.slice(from: Self.headerBytes, count: buffer.count &- Self.headerBytes)
    guard let layout = FrameLayout(parsing: frame, frameLength: frame.count), layout.hasTransportHeader else { return }
    let field: UInt16 = layout.transportProtocol == IPProtocol.tcp ? 16 : 6
    buffer.store(Self.needsChecksum, at: 0)
    buffer.store(UInt16(truncatingIfNeeded: layout.transportOffset).littleEndian, at: 6)
    buffer.store(field.littleEndian, at: 8)
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
