// SPDX-License-Identifier: Apache-2.0

import CLinux
import Memory
import Packets
import Polling

/// A packet socket whose frames are sent from a ring that it shares with the kernel (packet(7), PACKET_TX_RING).
///
/// A frame is copied into a slot; one system call sends all slots that ask for it. That is a quarter faster than a
/// message for each frame, as long as the frame is small: the kernel takes over a larger one page by page and, where the
/// interface hands it to a receiver in this host, copies it again. (docs/performance.md)
///
/// The kernel sends within the call and stops at the first slot that it can't send. What is left behind that is taken
/// back, so that the caller has to do with the same frames as of any other way of sending.
final class PacketTransmitRing {
  /// A frame of an Ethernet packet.
  static let slotSize = 2048
  static let slotCount = 512
  /// The header of 10 bytes and the frame.
  static let largestFrame = slotSize - Int(VTCP_PACKET_SLOT_HEADER)

  private static let available = UInt32(VTCP_PACKET_AVAILABLE)
  private static let sendRequest = UInt32(VTCP_PACKET_SEND_REQUEST)
  private static let wrongFormat = UInt32(VTCP_PACKET_WRONG_FORMAT)
  private static let lengthOffset = 4
  private static let dataOffset = Int(VTCP_PACKET_SLOT_HEADER)
  /// `hdr_len` of the virtio header (virtio 1.3, 5.1.6).
  private static let headerLengthOffset = dataOffset + 2

  let owner: OwnedDescriptor
  private let memory: ByteRegion
  private let shared: SharedRegion
  /// The slot that the kernel sends next.
  private var next = 0

  /// Nil if the kernel gives no such ring. `owner` sends frames, and nothing but the ring's from now on.
  init?(_ owner: OwnedDescriptor) {
    guard let memory = SystemCalls.mapRing(owner.rawValue, slotSize: Self.slotSize, slots: Self.slotCount) else {
      return nil
    }
    self.owner = owner
    self.memory = memory
    shared = SharedRegion(memory)
  }

  /// The same, of a socket that had a ring with another process.
  convenience init?(resuming owner: OwnedDescriptor) {
    guard vtcp_packet_ring_drop(owner.rawValue) >= 0 else { return nil }
    self.init(owner)
  }

  deinit { SystemCalls.unmap(memory) }

  var descriptor: Int32 { owner.rawValue }

  /// Sends up to `count` frames, none longer than `largestFrame`. Returns how many were sent, or -errno of the first if
  /// none was.
  func send(frames: RecordBuffer<OutgoingFrame>, first: Int, count: Int, vectors: RecordBuffer<IOVector>) -> Int {
    var filled = 0
    while filled < count, fill(slot(filled), frames[first + filled], vectors) { filled += 1 }
    guard filled > 0 else { return ErrorNumber.again }
    let result = Int(vtcp_packet_ring_send(owner.rawValue))
    var sent = 0
    while sent < filled, isTaken(slot(sent)) { sent += 1 }
    for index in sent..<filled { shared.store32(Self.available, at: slot(index)) }
    next = (next + sent) % Self.slotCount
    guard sent == 0 else { return sent }
    return result < 0 ? result : ErrorNumber.again
  }

  /// Where the slot lies that is so many behind the next one.
  @inline(__always)
  private func slot(_ index: Int) -> Int { (next + index) % Self.slotCount * Self.slotSize }

  /// Copies a frame into the slot, and asks for it to be sent. False if the slot is still on its way.
  private func fill(_ slot: Int, _ frame: OutgoingFrame, _ vectors: RecordBuffer<IOVector>) -> Bool {
    guard shared.loadAcquire32(at: slot) == Self.available else { return false }
    var place = slot + Self.dataOffset
    for index in Int(frame.firstVector)..<Int(frame.firstVector + frame.vectorCount) {
      guard let piece = vectors[index].region else { continue }
      memory.copy(from: piece, at: place)
      place += piece.count
    }
    let length = place - slot - Self.dataOffset
    // As many bytes are copied by the kernel; the rest would stay in the slot's page.
    memory.store(UInt16(truncatingIfNeeded: length - SystemCalls.headerSize), at: slot + Self.headerLengthOffset)
    shared.store32(UInt32(truncatingIfNeeded: length), at: slot + Self.lengthOffset)
    shared.storeRelease32(Self.sendRequest, at: slot)
    return true
  }

  private func isTaken(_ slot: Int) -> Bool {
    let status = shared.loadAcquire32(at: slot)
    return status != Self.sendRequest && status != Self.wrongFormat
  }
}
