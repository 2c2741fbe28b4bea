// SPDX-License-Identifier: Apache-2.0

import LargeSend
import Memory
import Packets
import Timekeeping
import Uplinks
import VTCP
import Virtio
import Wire

/// From the guest to the network: transmitq to uplink.
///
/// # Theory of operation
///
/// 1. A batch of chains is popped.
/// 2. Of each, the virtio header and the frame's first bytes are copied, once, to private memory; they are checked, and
///    what the header asks for is made to agree with what the frame is. Payload stays where it is.
/// 3. The batch goes to the uplink as scatter lists: [virtio header, copied bytes] [payload in guest memory].
/// 4. What the uplink took is given back to the driver; what it did not is put back into the ring until the uplink is
///    writable again. Nothing is dropped because a queue is full.
///
/// An uplink that carries no virtio header gets frames completed in software: the whole frame is copied then.
///
/// A frame that is larger than the uplink takes in one piece is split: the pieces are scatter lists of the same kind, and the chain goes
/// back when the last one has left (`TransmitPath+LargeSend`).
///
/// A frame is dropped, and counted, only if it is no frame or asks for what can't be.
final class TransmitPath {
  static let batch = 32
  /// Virtio header and inspected bytes of one frame.
  static let slotBytes = (VirtioNetHeader.length + FrameLimits.inspected + 15) / 16 * 16

  let slots = ByteRegion.allocate(count: batch * slotBytes)
  private let guestHeader = ByteRegion.allocate(count: VirtioNetHeader.lengthWithBufferCount)
  let frames = RecordBuffer<OutgoingFrame>(
    capacity: batch, repeating: OutgoingFrame(firstVector: 0, vectorCount: 0, byteCount: 0, index: 0))
  let vectors = RecordBuffer<IOVector>(
    capacity: 2 * (ChainList.maximumVectorsPerChain + 1), repeating: .none)
  /// The uplink's queue for each frame.
  let queues = RecordBuffer<Int32>(capacity: batch, repeating: 0)
  var frameCount = 0
  var vectorCount = 0

  /// Only for an uplink without virtio headers: the frame that is being completed.
  let staged = StagedFrame()
  let staging: ByteRegion?

  let uplink: Uplink
  private let announcer: FirstSizeAnnouncer
  private let macAddress: MACAddress?
  private let steering: FlowSteering
  var flowHash: FlowHash
  /// What the uplink takes in one piece.
  private(set) var limits = EgressLimits.ordinary
  /// Of the frame that was looked at last: it is larger, or is shorter by what was taken out of its first bytes.
  private var isUnusual = false
  private var tooLarge: OffloadRequest?
  private var removedBytes = 0
  /// Of the frame that is to be split: its first bytes, and what is left of it.
  let largeHead = ByteRegion.allocate(count: FrameLimits.inspected)
  var splitter: LargeSendSplitter?
  /// Whether flows are to be learned: several queue pairs are in use.
  var learnsFlows = false
  /// The queue pair of the flow of the frame that was looked at last, if flows are learned.
  private(set) var learnedPair = 0
  /// Bytes of large frames that the uplink took. Wraps.
  var bulkBytes = 0
  /// How many these were, as the guest handed them over. Wraps.
  var bulkFrames = 0
  /// 10 or 12 bytes, as negotiated.
  var guestHeaderLength = VirtioNetHeader.lengthWithBufferCount

  /// The TCP accelerator, and the frame that it let pass and that the uplink had no room for.
  let module: VTCPModule?
  /// Where frames are shown, if `isTapped`.
  let tap: FrameTap
  var isTapped = false
  /// What the module has let pass and the uplink has not taken.
  let waiting: FrameBacklog

  init(
    uplink: Uplink, module: VTCPModule?, tap: FrameTap, announcer: FirstSizeAnnouncer, macAddress: MACAddress?,
    steering: FlowSteering, flowHash: FlowHash
  ) {
    self.tap = tap
    self.uplink = uplink
    self.announcer = announcer
    self.module = module
    waiting = FrameBacklog(largestFrames: module == nil ? 0 : 8)
    self.macAddress = macAddress
    self.steering = steering
    self.flowHash = flowHash
    staging =
      uplink.carriesOffloads ? nil : ByteRegion.allocate(count: VirtioNetHeader.length + FrameLimits.largestRequest)
  }

  deinit {
    slots.deallocate()
    largeHead.deallocate()
    guestHeader.deallocate()
    frames.deallocate()
    queues.deallocate()
    vectors.deallocate()
    staging?.deallocate()
  }

  /// From now on nothing larger leaves in one piece. Returns whether that is news. The accelerator knows no frame whose length is not in its
  /// IP header.
  func setLimits(_ wanted: EgressLimits) -> Bool {
    let wanted = module == nil ? wanted : wanted.withinOrdinary
    guard wanted != limits else { return false }
    limits = wanted
    module?.mostSegmentsToNetwork = wanted.segments
    return true
  }

  /// Serves one transmitq until it is empty, the budget is spent or the uplink takes no more.
  func run(_ end: QueueEnd, uplinkQueue: Int, now: Instant) -> PathProgress {
    end.disableKicks()
    var budget = TurnBudget()
    while !budget.isSpent {
      guard sendStagedPieces(end, uplinkQueue, &budget, now), sendWaiting(uplinkQueue) else { return .waiting }
      guard !budget.isSpent else { return .more }
      let popped = end.queue.pop(limit: Self.batch, into: &end.chains)
      guard popped > 0 else {
        if end.queue.hasUntold { end.publish() }
        return .idle
      }
      if !end.isEnabled {
        end.counters.add(.disabled, popped)
        complete(end, popped)
        budget.spend(frames: popped, bytes: 0)
        continue
      }
      let progress: PathProgress
      if staging != nil {
        progress = stageOne(end, &budget, now)
      } else if let module {
        progress = sendThrough(module, end, uplinkQueue, &budget, now)
      } else {
        progress = sendBatch(end, uplinkQueue, &budget, now)
      }
      guard progress == .more else { return progress }
    }
    return .more
  }

  func complete(_ end: QueueEnd, _ count: Int) {
    guard count > 0 else { return }
    end.splitPosition = 0
    end.queue.completeFirst(count, of: &end.chains)
    end.untold &+= count
    end.publish()
    end.notifyOfManyTransmitted()
  }

  private func sendBatch(
    _ end: QueueEnd, _ uplinkQueue: Int, _ budget: inout TurnBudget, _ now: Instant
  ) -> PathProgress {
    var progress = PathProgress.more
    // What is put back would be read from the ring again, for each frame that is split.
    repeat {
      progress = sendPart(end, uplinkQueue, &budget, now)
      guard splitter != nil else { break }
      if progress == .more { progress = sendPieces(end, uplinkQueue, &budget, now) }
      splitter = nil
    } while progress == .more && end.chains.count > 0 && !budget.isSpent
    end.queue.rewind(&end.chains)
    return progress
  }

  /// Sends the popped frames up to one that is to be split.
  private func sendPart(
    _ end: QueueEnd, _ uplinkQueue: Int, _ budget: inout TurnBudget, _ now: Instant
  ) -> PathProgress {
    frameCount = 0
    vectorCount = 0
    let first = end.chains.first
    var chain = 0
    while chain < end.chains.count, vectorCount &+ ChainList.maximumVectorsPerChain < vectors.capacity {
      guard prepare(end, end.chains.chains[first &+ chain], chain: chain, uplinkQueue, now) else { break }
      chain &+= 1
    }
    let accepted = sendRuns()
    if isTapped { showSent(accepted, now) }
    count(end, accepted, &budget)
    budget.spend(frames: chain, bytes: 0)
    // Chains without a frame (dropped ones) before the first frame that was not accepted go back as well.
    complete(end, accepted < frameCount ? Int(frames[accepted].index) : chain)
    guard accepted < frameCount else { return .more }
    end.counters.add(.waits)
    return .waiting
  }

  /// Sends the frames in order, as many at once as go to the same queue. Returns how many were taken.
  func sendRuns() -> Int {
    var sent = 0
    while sent < frameCount {
      var end = sent &+ 1
      while end < frameCount, queues[end] == queues[sent] { end &+= 1 }
      let outcome = uplink.send(
        queue: Int(queues[sent]), frames: frames, first: sent, count: end &- sent, vectors: vectors)
      sent &+= outcome.accepted
      if outcome.blocked { return sent }
    }
    return sent
  }

  func count(_ end: QueueEnd, _ accepted: Int, _ budget: inout TurnBudget) {
    var bytes = 0
    for index in 0..<accepted {
      let frameLength = Int(frames[index].byteCount) &- VirtioNetHeader.length
      bytes &+= frameLength
      if frameLength > FrameLimits.small {
        bulkBytes &+= frameLength
        bulkFrames &+= 1
      }
    }
    end.counters.add(.frames, accepted)
    end.counters.add(.bytes, bytes)
    budget.spend(frames: 0, bytes: bytes)
  }

  /// Makes an outgoing frame of a chain, or drops and counts it. False: it is to be split, and `splitter` is ready for that.
  @inline(__always)
  func prepare(
    _ end: QueueEnd, _ chain: DescriptorChain, chain index: Int, _ uplinkQueue: Int, _ now: Instant
  ) -> Bool {
    let slot = slots.slice(from: frameCount &* Self.slotBytes, count: Self.slotBytes)
    var cursor = VectorCursor(
      end.chains.vectors, first: Int(chain.firstVector), end: Int(chain.firstVector &+ chain.vectorCount))
    guard let inspected = inspect(end, chain, &cursor, into: slot, now) else { return true }
    let frameLength = chain.byteCount &- guestHeaderLength
    guard !isUnusual else {
      return prepareUnusual(end, slot, inspected, frameLength, cursor, chain: index, uplinkQueue)
    }
    addFrame(end, slot, inspected, frameLength, &cursor, chain: index, uplinkQueue)
    return true
  }

  /// The same of a frame that is to be split, or is shorter now than it came.
  @inline(never)
  private func prepareUnusual(
    _ end: QueueEnd, _ slot: ByteRegion, _ inspected: Int, _ frameLength: Int, _ cursor: VectorCursor,
    chain index: Int, _ uplinkQueue: Int
  ) -> Bool {
    let removed = takeRemovedBytes()
    guard let request = tooLarge else {
      var cursor = cursor
      addFrame(end, slot, inspected &- removed, frameLength &- removed, &cursor, chain: index, uplinkQueue)
      return true
    }
    tooLarge = nil
    let head = slot.slice(from: 0, count: VirtioNetHeader.length &+ inspected &- removed)
    return !beginSplitting(end, request, head, cursor, from: index == 0 ? end.splitPosition : 0)
  }

  func takeRemovedBytes() -> Int {
    let removed = removedBytes
    removedBytes = 0
    isUnusual = false
    return removed
  }

  /// Makes an outgoing frame of the header and the bytes in `slot`, and of those from `cursor` on.
  @inline(__always)
  private func addFrame(
    _ end: QueueEnd, _ slot: ByteRegion, _ inspected: Int, _ frameLength: Int, _ cursor: inout VectorCursor,
    chain index: Int, _ uplinkQueue: Int
  ) {
    vectors[vectorCount] = IOVector(slot.slice(from: 0, count: VirtioNetHeader.length &+ inspected))
    guard let last = cursor.gather(frameLength &- inspected, into: vectors, at: vectorCount &+ 1) else {
      return end.counters.add(.badLength)
    }
    frames[frameCount] = OutgoingFrame(
      firstVector: Int32(truncatingIfNeeded: vectorCount), vectorCount: Int32(truncatingIfNeeded: last &- vectorCount),
      byteCount: Int32(truncatingIfNeeded: VirtioNetHeader.length &+ frameLength),
      index: Int32(truncatingIfNeeded: index))
    queues[frameCount] = Int32(truncatingIfNeeded: learnsFlows ? learnedPair % uplink.queueCount : uplinkQueue)
    vectorCount = last
    frameCount &+= 1
  }

  /// Copies the virtio header and the frame's first bytes out of guest memory and checks them.
  ///
  /// `slot` gets the header that the uplink is to see and the copied bytes. Returns how many bytes of the frame were
  /// copied, `cursor` stands behind them; nil if the frame was dropped.
  func inspect(
    _ end: QueueEnd, _ chain: DescriptorChain, _ cursor: inout VectorCursor, into slot: ByteRegion, _ now: Instant
  ) -> Int? {
    guard chain.isSound else {
      end.counters.add(.unsoundChains)
      return nil
    }
    let frameLength = chain.byteCount &- guestHeaderLength
    guard frameLength >= FrameLimits.minimumFrame, frameLength <= FrameLimits.largestRequest else {
      end.counters.add(.badLength)
      return nil
    }
    _ = cursor.read(into: guestHeader.slice(from: 0, count: guestHeaderLength))
    let head = slot.slice(from: VirtioNetHeader.length, count: min(frameLength, FrameLimits.inspected))
    _ = cursor.read(into: head)
    if let macAddress, MACAddress(decoding: head, at: MACAddress.length) != macAddress {
      end.counters.add(.spoofed)
      return nil
    }
    guard head.networkOrder(at: 12) != EtherType.localExperimental1 || !isMessage(head) else {
      end.counters.add(.firstSizeMessages)
      return nil
    }
    guard frameLength <= FrameLimits.maximumFrame || VirtioNetHeader(decoding: guestHeader).needsSegmentation else {
      end.counters.add(.badLength)
      return nil
    }
    guard let header = checkedHeader(end, head, frameLength, now) else {
      end.counters.add(.badOffload)
      return nil
    }
    header.encode(into: slot)
    return head.count
  }

  /// Whether it is one of the guest's module, which goes no further.
  @inline(never)
  private func isMessage(_ head: ByteRegion) -> Bool { announcer.take(head) }

  /// The header that the uplink is to see: what the guest asks for, if it fits the frame, and nothing else of what it
  /// wrote (`hdr_len` least of all: CVE-2026-100236).
  @inline(__always)
  private func checkedHeader(
    _ end: QueueEnd, _ head: ByteRegion, _ frameLength: Int, _ now: Instant
  ) -> VirtioNetHeader? {
    let asked = VirtioNetHeader(decoding: guestHeader)
    let wantsOffload = asked.needsChecksum || asked.needsSegmentation
    guard wantsOffload || learnsFlows else { return VirtioNetHeader() }
    guard let layout = FrameLayout(parsing: head, frameLength: frameLength) else {
      return wantsOffload ? nil : VirtioNetHeader()
    }
    if learnsFlows {
      learnedPair = steering.learn(flowHash(layout, head), pair: NetworkQueues.pair(ofQueue: end.index), now: now)
    }
    guard wantsOffload else { return VirtioNetHeader() }
    guard !layout.hasExtensionHeaders || !asked.needsSegmentation else {
      return extendedHeader(end, asked, layout, head, frameLength)
    }
    return requestedHeader(end, asked, layout, frameLength)
  }

  /// The same of a frame with extension headers. That of a jumbogram is taken out.
  @inline(never)
  private func extendedHeader(
    _ end: QueueEnd, _ asked: VirtioNetHeader, _ layout: FrameLayout, _ head: ByteRegion, _ frameLength: Int
  ) -> VirtioNetHeader? {
    guard JumboPayload.remove(from: head, layout, frameLength: frameLength) else {
      return requestedHeader(end, asked, layout, frameLength)
    }
    let removed = JumboPayload.headerLength
    let shorter = head.slice(from: 0, count: head.count &- removed)
    guard let rest = FrameLayout(parsing: shorter, frameLength: frameLength &- removed),
      let header = requestedHeader(end, asked.behindJumboHeader(layout), rest, frameLength &- removed)
    else { return nil }
    removedBytes = removed
    isUnusual = true
    return header
  }

  @inline(__always)
  private func requestedHeader(
    _ end: QueueEnd, _ asked: VirtioNetHeader, _ layout: FrameLayout, _ frameLength: Int
  ) -> VirtioNetHeader? {
    guard case .valid(let request) = OffloadCheck(header: asked, layout: layout, frameLength: frameLength) else {
      return nil
    }
    var header = VirtioNetHeader()
    header.flags = .needsChecksum
    header.checksumStart = asked.checksumStart
    header.checksumOffset = asked.checksumOffset
    if asked.needsSegmentation {
      header.rawGSOType = asked.rawGSOType
      header.gsoSize = asked.gsoSize
      header.headerLength = UInt16(truncatingIfNeeded: layout.payloadOffset)
      // The first two say at once of most frames that they are admitted.
      if frameLength > limits.leastBytes || frameLength > limits.leastSegments &* Int(asked.gsoSize), staging == nil,
        !limits.admit(request)
      {
        tooLarge = request
        isUnusual = true
        return header
      }
      end.counters.add(.segmentationOffloads)
    }
    end.counters.add(.checksumOffloads)
    return header
  }
}
