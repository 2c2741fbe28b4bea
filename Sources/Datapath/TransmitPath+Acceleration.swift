// SPDX-License-Identifier: Apache-2.0

import Memory
import Packets
import Timekeeping
import Uplinks
import VTCP
import Virtio
import Wire

// The way through the TCP accelerator: each frame is judged once.

extension TransmitPath {
  /// Hands the popped chains to the module, and sends what it lets pass.
  func sendThrough(
    _ module: VTCPModule, _ end: QueueEnd, _ uplinkQueue: Int, _ budget: inout TurnBudget, _ now: Instant
  ) -> PathProgress {
    var progress = PathProgress.more
    // What is put back would be read from the ring again.
    while progress == .more, end.chains.count > 0, !budget.isSpent {
      progress = sendSome(module, end, uplinkQueue, &budget, now)
      if splitter != nil, progress == .more {
        progress = sendPieces(through: module, end, uplinkQueue, &budget, now)
      }
    }
    if splitter != nil { splitter = nil }
    end.queue.rewind(&end.chains)
    return progress
  }

  /// The same of as many as the backlog would hold. All are judged first and sent then: judged one by one between the system's calls, each
  /// would find neither code nor data of ours in the caches.
  private func sendSome(
    _ module: VTCPModule, _ end: QueueEnd, _ uplinkQueue: Int, _ budget: inout TurnBudget, _ now: Instant
  ) -> PathProgress {
    let first = end.chains.first
    let count = end.chains.count
    var done = 0
    var bytes = 0
    frameCount = 0
    vectorCount = 0
    while done < count, vectorCount &+ ChainList.maximumVectorsPerChain < vectors.capacity,
      waiting.hasRoom(behind: frameCount, of: bytes)
    {
      let (place, firstVector) = (frameCount, vectorCount)
      guard prepare(end, end.chains.chains[first &+ done], chain: done, uplinkQueue, now) else { break }
      done &+= 1
      budget.spend(frames: 1, bytes: 0)
      guard frameCount > place else { continue }
      let length = Int(frames[place].byteCount) &- VirtioNetHeader.length
      end.counters.add(.frames)
      end.counters.add(.bytes, length)
      budget.spend(frames: 0, bytes: length)
      if length > FrameLimits.small {
        bulkBytes &+= length
        bulkFrames &+= 1
      }
      let frame = passing(place, length)
      switch judge(module, frame, now) {
      case .pass:
        if frame.segmentSize != 0, module.passedReduction { markReduction(place) }
        bytes &+= VirtioNetHeader.length &+ length
      case .replaced:
        bytes &+= replace(place, with: module.replacement)
      case .consumed:
        frameCount = place
        vectorCount = firstVector
      }
    }
    let areSent = sendJudged(uplinkQueue)
    complete(end, done)
    if areSent { return .more }
    end.counters.add(.waits)
    return .waiting
  }

  /// What becomes of a frame of the guest's.
  @inline(__always)
  func judge(_ module: VTCPModule, _ frame: PassingFrame, _ now: Instant) -> Verdict {
    isTapped ? tap.judge(module, from: .guest, frame, now) : module.arrive(from: .guest, frame, now: now)
  }

  /// Shows the first of the frames that are prepared, so many, which have left without an accelerator.
  @inline(never)
  func showSent(_ count: Int, _ now: Instant) {
    for place in 0..<count {
      let length = Int(frames[place].byteCount) &- VirtioNetHeader.length
      var frame = passing(place, length)
      frame = PassingFrame(
        head: frame.head, length: length, vectors: vectors, firstVector: frame.firstVector,
        vectorsEnd: Int(frames[place].firstVector &+ frames[place].vectorCount))
      tap.passed(from: .guest, frame, now)
    }
  }

  /// Sends the frames that the module has let pass; false if the uplink took not all, and the others are kept.
  func sendJudged(_ uplinkQueue: Int) -> Bool {
    var sent = 0
    while sent < frameCount {
      let outcome = uplink.send(
        queue: uplinkQueue, frames: frames, first: sent, count: frameCount &- sent, vectors: vectors)
      guard outcome.accepted > 0 else { break }
      sent &+= outcome.accepted
    }
    for index in sent..<frameCount { keepWaiting(frames[index]) }
    return sent == frameCount
  }

  /// The frame at that place of those that are prepared, as the module sees it: its head is ours to patch.
  func passing(_ place: Int, _ length: Int) -> PassingFrame {
    let slot = slots.slice(from: place &* Self.slotBytes, count: Self.slotBytes)
    let copied = vectors[Int(frames[place].firstVector)].byteCount &- VirtioNetHeader.length
    let head = slot.slice(from: VirtioNetHeader.length, count: copied)
    let (firstVector, vectorsEnd) = (Int(frames[place].firstVector), vectorCount)
    var frame = PassingFrame(
      head: head, length: length, vectors: vectors, firstVector: firstVector &+ 1, vectorsEnd: vectorsEnd)
    let header = VirtioNetHeader(decoding: slot)
    frame.needsChecksum = header.needsChecksum
    frame.segmentSize = header.needsSegmentation ? header.gsoSize : 0
    return frame
  }

  /// Puts another frame, of no more bytes than are inspected, in the place of the last one that is prepared. Returns its bytes with the virtio
  /// header, which stays.
  private func replace(_ place: Int, with frame: ByteRegion) -> Int {
    let whole = slots.slice(from: place &* Self.slotBytes, count: VirtioNetHeader.length &+ frame.count)
    whole.copy(from: frame, at: VirtioNetHeader.length)
    let firstVector = Int(frames[place].firstVector)
    vectors[firstVector] = IOVector(whole)
    vectorCount = firstVector &+ 1
    frames[place].vectorCount = 1
    frames[place].byteCount = Int32(truncatingIfNeeded: whole.count)
    return whole.count
  }

  /// Says of the frame at that place of those that are prepared, a large one, that it has CWR.
  func markReduction(_ place: Int) {
    let slot = slots.slice(from: place &* Self.slotBytes, count: Self.slotBytes)
    var header = VirtioNetHeader(decoding: slot)
    header.rawGSOType |= VirtioNetHeader.ecnBit
    header.encode(into: slot)
  }

  /// Copies a frame that the uplink has no room for, so that its chain can go back. There is room for all that are judged at once.
  private func keepWaiting(_ frame: OutgoingFrame) {
    guard let room = waiting.room else { return }
    let firstVector = Int(frame.firstVector)
    var cursor = VectorCursor(vectors, first: firstVector, end: firstVector &+ Int(frame.vectorCount))
    waiting.keep(cursor.read(into: room.slice(from: 0, count: min(Int(frame.byteCount), room.count))))
  }

  /// Sends the frames that wait, if any; false if the uplink still has no room for them.
  func sendWaiting(_ uplinkQueue: Int) -> Bool {
    while let frame = waiting.first {
      vectors[0] = IOVector(frame)
      frames[0] = OutgoingFrame(
        firstVector: 0, vectorCount: 1, byteCount: Int32(truncatingIfNeeded: frame.count), index: 0)
      let outcome = uplink.send(queue: uplinkQueue, frames: frames, first: 0, count: 1, vectors: vectors)
      guard outcome.accepted == 1 else { return false }
      _ = waiting.next()
    }
    waiting.clear()
    return true
  }

  @inline(never)
  private func showEmission(_ module: VTCPModule, _ emission: Emission, _ head: ByteRegion, _ now: Instant) {
    let headers = head.slice(from: 0, count: emission.headerLength)
    var frame = PassingFrame(
      head: headers, length: emission.headerLength &+ emission.payloadCount, vectors: vectors, firstVector: 1,
      vectorsEnd: emission.vectorsEnd)
    frame.segmentSize = UInt16(truncatingIfNeeded: emission.segmentSize)
    tap.emitted(module, to: .network, frame, now)
  }

  /// Sends what the module has for the network.
  func emit(_ module: VTCPModule, now: Instant) -> PathProgress {
    guard sendWaiting(0) else { return .waiting }
    // Of both families, since the module does not ask: they hardly ever differ.
    let largestSend = min(
      FrameLimits.largestSend, min(limits.ipv4Bytes, limits.ipv6Bytes) &- SegmentTemplate.maximumHeaderLength)
    for _ in 0..<256 {
      let head = slots.slice(from: VirtioNetHeader.length, count: SegmentTemplate.maximumHeaderLength)
      guard
        let emission = module.emit(
          to: .network, head: head, vectors: vectors, first: 1, largest: largestSend, now: now)
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
      if isTapped { showEmission(module, emission, head, now) }
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
