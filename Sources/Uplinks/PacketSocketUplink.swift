// SPDX-License-Identifier: Apache-2.0

import CLinux
import Memory
import Packets
import Polling

/// A packet socket (AF_PACKET) on one of the host's interfaces, promiscuous, with virtio headers.
///
/// Frames are received in batches of 16 into buffers of its own and handed out one by one. The kernel takes VLAN tags
/// out of frames before a packet socket sees them; they are put back here. When the interface goes down the socket
/// stays bound, is told so once (ENETDOWN), and goes on when the interface is up again.
public final class PacketSocketUplink {
  static let batch = Int(VTCP_PACKET_BATCH)
  /// A frame of 64 KiB, its headers, and room before it for the tag.
  static let slotSize = 68 << 10
  /// Bytes free at a slot's start: the tag makes the frame grow to the front.
  static let headroom = 16
  /// So often in a row the same frame may be refused for want of buffers (ENOBUFS) before it is dropped: a full queue
  /// drains, but an interface whose other end is gone refuses for ever while the socket stays writable.
  static let maximumRefusals = 64

  private let link: Link
  private let owner: OwnedDescriptor
  private let staging: ByteRegion
  private let stagingVectors: RecordBuffer<IOVector>
  private let received: RecordBuffer<vtcp_packet_frame>
  private let sending: RecordBuffer<vtcp_packet_frame>
  private var nextReceived = 0
  private var receivedCount = 0
  private var refusals = 0
  var counters = UplinkCounters()

  init(link: Link, owner: OwnedDescriptor) {
    self.link = link
    self.owner = owner
    staging = ByteRegion.allocate(count: Self.batch * Self.slotSize, alignment: 4096)
    stagingVectors = RecordBuffer(capacity: Self.batch, repeating: IOVector(base: nil, length: 0))
    received = RecordBuffer(capacity: Self.batch, repeating: vtcp_packet_frame())
    sending = RecordBuffer(capacity: Self.batch, repeating: vtcp_packet_frame())
    for index in 0..<Self.batch {
      let slot = staging.slice(from: index * Self.slotSize, count: Self.slotSize)
      stagingVectors[index] = IOVector(slot.suffix(from: Self.headroom))
    }
    SystemCalls.prepareReceive(received, vectors: stagingVectors)
  }

  deinit {
    staging.deallocate()
    stagingVectors.deallocate()
    received.deallocate()
    sending.deallocate()
  }

  var interface: String { link.interface }
  var descriptor: Int32 { owner.rawValue }

  func send(frames: RecordBuffer<OutgoingFrame>, first: Int, count: Int, vectors: RecordBuffer<IOVector>)
    -> SendOutcome
  {
    var accepted = 0
    while accepted < count {
      let result = SystemCalls.sendPackets(
        owner.rawValue, frames, first: first + accepted, count: count - accepted, vectors: vectors, scratch: sending)
      if result > 0 {
        for index in 0..<result { counters.sent(byteCount: frames[first + accepted + index].byteCount) }
        accepted += result
        refusals = 0
        continue
      }
      if mustWait(result) { return SendOutcome(accepted: accepted, blocked: true) }
      counters.sendFailed(result)
      accepted += 1
    }
    return SendOutcome(accepted: accepted, blocked: false)
  }

  private func mustWait(_ result: Int) -> Bool {
    if result == ErrorNumber.again { return true }
    guard result == ErrorNumber.noBuffers, refusals < Self.maximumRefusals else {
      refusals = 0
      return false
    }
    refusals += 1
    return true
  }

  /// The next frame, header first, in a buffer that holds it until the next call; nil when none is there.
  func nextFrame() -> ByteRegion? {
    // Bounded: a batch at a time is looked through, and then the caller gets its nil.
    for _ in 0...Self.batch {
      if nextReceived == receivedCount, !receiveBatch() { return nil }
      let index = nextReceived
      nextReceived += 1
      if let frame = usableFrame(index) {
        counters.received(byteCount: frame.count)
        return frame
      }
    }
    return nil
  }

  private func receiveBatch() -> Bool {
    nextReceived = 0
    receivedCount = 0
    var result = SystemCalls.receivePackets(owner.rawValue, into: received)
    // The news that the interface is down comes once; frames that came before it are behind it.
    if result == ErrorNumber.networkDown { result = SystemCalls.receivePackets(owner.rawValue, into: received) }
    guard result > 0 else {
      if result < 0, result != ErrorNumber.again { counters.receiveErrors &+= 1 }
      return false
    }
    receivedCount = result
    return true
  }

  private func usableFrame(_ index: Int) -> ByteRegion? {
    let record = received[index]
    let count = Int(record.byte_count)
    guard record.truncated == 0, count <= Self.slotSize - Self.headroom else {
      counters.receiveTruncated &+= 1
      return nil
    }
    guard count >= SystemCalls.headerSize + StrippedTag.ethernetHeaderSize else {
      counters.receiveErrors &+= 1
      return nil
    }
    let start = index * Self.slotSize + Self.headroom
    guard record.vlan != 0 else { return staging.slice(from: start, count: count) }
    let room = staging.slice(from: start - StrippedTag.size, count: count + StrippedTag.size)
    StrippedTag.putBack(record.vlan, into: room)
    return room
  }

  func setMTU(_ mtu: Int) throws(SystemError) {
    try link.setMTU(mtu)
  }

  var limits: LinkLimits? { try? link.limits() }
}
