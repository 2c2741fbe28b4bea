// SPDX-License-Identifier: Apache-2.0

import Memory
import Packets
import Timekeeping
import Uplinks
import VTCP
import Virtio
import Wire

// The way through the TCP accelerator: one frame after the other, since each is judged once.

extension TransmitPath {
  /// Hands the popped chains to the module, and sends what it lets pass.
  func sendThrough(
    _ module: VTCPModule, _ end: QueueEnd, _ uplinkQueue: Int, _ budget: inout TurnBudget, _ now: Instant
  ) -> PathProgress {
    let first = end.chains.first
    let count = end.chains.count
    var done = 0
    var isBlocked = false
    while done < count, !isBlocked {
      frameCount = 0
      vectorCount = 0
      prepare(end, end.chains.chains[first &+ done], chain: 0, uplinkQueue, now)
      done &+= 1
      budget.spend(frames: 1, bytes: 0)
      guard frameCount == 1 else { continue }
      let length = Int(frames[0].byteCount) &- VirtioNetHeader.length
      end.counters.add(.frames)
      end.counters.add(.bytes, length)
      budget.spend(frames: 0, bytes: length)
      if length > FrameLimits.small { bulkBytes &+= length }
      guard module.arrive(from: .guest, passing(length), now: now) == .pass else { continue }
      guard uplink.send(queue: uplinkQueue, frames: frames, first: 0, count: 1, vectors: vectors).accepted == 0 else {
        continue
      }
      isBlocked = true
      if !module.passFailed() {
        waiting?.keep(vectors, first: 0, end: vectorCount, count: VirtioNetHeader.length &+ length)
      }
    }
    complete(end, done)
    end.queue.rewind(&end.chains)
    guard isBlocked else { return .more }
    end.counters.add(.waits)
    return .waiting
  }

  /// The frame that was prepared, as the module sees it: its head is ours to patch.
  private func passing(_ length: Int) -> PassingFrame {
    let head = slots.slice(from: VirtioNetHeader.length, count: min(length, FrameLimits.inspected))
    var frame = PassingFrame(head: head, length: length, vectors: vectors, firstVector: 1, vectorsEnd: vectorCount)
    let header = VirtioNetHeader(decoding: slots)
    frame.needsChecksum = header.needsChecksum
    frame.segmentSize = header.needsSegmentation ? header.gsoSize : 0
    return frame
  }

  /// Sends the frame that waits, if any; false if the uplink still has no room for it.
  func sendWaiting(_ uplinkQueue: Int) -> Bool {
    guard let waiting, !waiting.isEmpty else { return true }
    vectors[0] = IOVector(waiting.bytes)
    frames[0] = OutgoingFrame(
      firstVector: 0, vectorCount: 1, byteCount: Int32(truncatingIfNeeded: waiting.byteCount), index: 0)
    let outcome = uplink.send(queue: uplinkQueue, frames: frames, first: 0, count: 1, vectors: vectors)
    guard outcome.accepted == 1 else { return false }
    waiting.clear()
    return true
  }

  /// Sends what the module has for the network.
  func emit(_ module: VTCPModule, now: Instant) -> PathProgress {
    guard sendWaiting(0) else { return .waiting }
    for _ in 0..<256 {
      let head = slots.slice(from: VirtioNetHeader.length, count: SegmentTemplate.maximumHeaderLength)
      guard
        let emission = module.emit(
          to: .network, head: head, vectors: vectors, first: 1, largest: FrameLimits.largestSend, now: now)
      else { return .idle }
      VirtioNetHeader(emission).encode(into: slots)
      vectors[0] = IOVector(slots.slice(from: 0, count: VirtioNetHeader.length &+ emission.headerLength))
      let bytes = VirtioNetHeader.length &+ emission.headerLength &+ emission.payloadCount
      frames[0] = OutgoingFrame(
        firstVector: 0, vectorCount: Int32(truncatingIfNeeded: emission.vectorsEnd),
        byteCount: Int32(truncatingIfNeeded: bytes), index: 0)
      guard uplink.send(queue: 0, frames: frames, first: 0, count: 1, vectors: vectors).accepted == 1 else {
        module.notEmitted()
        return .waiting
      }
      module.emitted(now: now)
    }
    return .more
  }
}

extension VirtioNetHeader {
  /// What a frame of the module's asks for: its checksum, and to be cut if it is larger than a segment.
  init(_ emission: Emission) {
    self.init()
    flags = .needsChecksum
    checksumStart = UInt16(truncatingIfNeeded: emission.checksumStart)
    checksumOffset = UInt16(TCPField.checksum)
    guard emission.segmentSize > 0 else { return }
    rawGSOType = (emission.isIPv6 ? GSOType.tcpv6 : GSOType.tcpv4).rawValue
    gsoSize = UInt16(truncatingIfNeeded: emission.segmentSize)
    headerLength = UInt16(truncatingIfNeeded: emission.headerLength)
  }
}
