// SPDX-License-Identifier: Apache-2.0

import CLinux
import Memory
import Packets
import Polling

/// A packet socket (AF_PACKET) on one of the host's interfaces, promiscuous, with virtio headers.
///
/// Frames are sent by sockets that nothing arrives at, small ones from a ring and large ones as messages; both go out
/// within the call, so their order is kept. These sockets are not watched while they take frames, since the kernel would
/// report each frame that has left.
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
  private let receiver: OwnedDescriptor
  private let sender: OwnedDescriptor
  private let ring: PacketTransmitRing?
  private let staging: ByteRegion
  private let stagingVectors: RecordBuffer<IOVector>
  private let received: RecordBuffer<vtcp_packet_frame>
  private let sending: RecordBuffer<vtcp_packet_frame>
  private var nextReceived = 0
  private var receivedCount = 0
  private var refusals = 0
  /// The socket that took no more when it was last sent to.
  private(set) var blockedDescriptor: Int32?
  var counters = UplinkCounters()

  init(link: Link, receiver: OwnedDescriptor, sender: OwnedDescriptor, ring: PacketTransmitRing?) {
    self.link = link
    self.receiver = receiver
    self.sender = sender
    self.ring = ring
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

  /// The receiver, the sender, and that of the ring if there is one.
  var owners: [OwnedDescriptor] { [receiver, sender] + (ring.map { [$0.owner] } ?? []) }
  var interface: String { link.interface }
  var descriptor: Int32 { receiver.rawValue }

  func send(frames: RecordBuffer<OutgoingFrame>, first: Int, count: Int, vectors: RecordBuffer<IOVector>)
    -> SendOutcome
  {
    var accepted = 0
    while accepted < count {
      let result = sendRun(frames, first + accepted, count - accepted, vectors)
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
    blockedDescriptor = nil
    return SendOutcome(accepted: accepted, blocked: false)
  }

  /// Sends the first frames that go the same way. Returns how many were sent, or -errno of the first.
  private func sendRun(
    _ frames: RecordBuffer<OutgoingFrame>, _ first: Int, _ count: Int, _ vectors: RecordBuffer<IOVector>
  ) -> Int {
    var run = 1
    let isSmall = fitsRing(frames[first])
    while run < count, fitsRing(frames[first + run]) == isSmall { run += 1 }
    if isSmall, let ring {
      blockedDescriptor = ring.descriptor
      return ring.send(frames: frames, first: first, count: run, vectors: vectors)
    }
    blockedDescriptor = sender.rawValue
    return SystemCalls.sendPackets(
      sender.rawValue, frames, first: first, count: run, vectors: vectors, scratch: sending)
  }

  @inline(__always)
  private func fitsRing(_ frame: OutgoingFrame) -> Bool { frame.byteCount <= PacketTransmitRing.largestFrame }

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
    var result = SystemCalls.receivePackets(receiver.rawValue, into: received)
    // The news that the interface is down comes once; frames that came before it are behind it.
    if result == ErrorNumber.networkDown { result = SystemCalls.receivePackets(receiver.rawValue, into: received) }
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

  var mtu: Int? { try? link.mtu() }

  var egressLimits: EgressLimits? { link.egressLimits }

  var limits: LinkLimits? { try? LinkLimits.read(interface: interface) }
}
