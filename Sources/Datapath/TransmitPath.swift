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
/// A frame is dropped, and counted, only if it is no frame or asks for what can't be.
final class TransmitPath {
  private static let batch = 32
  /// Virtio header and inspected bytes of one frame.
  static let slotBytes = (VirtioNetHeader.length + FrameLimits.inspected + 15) / 16 * 16

  let slots = ByteRegion.allocate(count: batch * slotBytes)
  private let guestHeader = ByteRegion.allocate(count: VirtioNetHeader.lengthWithBufferCount)
  let frames = RecordBuffer<OutgoingFrame>(
    capacity: batch, repeating: OutgoingFrame(firstVector: 0, vectorCount: 0, byteCount: 0, index: 0))
  let vectors = RecordBuffer<IOVector>(
    capacity: 2 * (ChainList.maximumVectorsPerChain + 1), repeating: .none)
  /// The uplink's queue for each frame.
  private let queues = RecordBuffer<Int32>(capacity: batch, repeating: 0)
  var frameCount = 0
  var vectorCount = 0

  /// Only for an uplink without virtio headers: the frame that is being completed.
  private let staged = StagedFrame()
  private let staging: ByteRegion?

  let uplink: Uplink
  private let macAddress: MACAddress?
  private let steering: FlowSteering
  var flowHash: FlowHash
  /// Whether flows are to be learned: several queue pairs are in use.
  var learnsFlows = false
  /// The queue pair of the flow of the frame that was looked at last, if flows are learned.
  private var learnedPair = 0
  /// Bytes of large frames that the uplink took. Wraps.
  var bulkBytes = 0
  /// 10 or 12 bytes, as negotiated.
  var guestHeaderLength = VirtioNetHeader.lengthWithBufferCount

  /// The TCP accelerator, and the frame that it let pass and that the uplink had no room for.
  let module: VTCPModule?
  /// What the module has let pass and the uplink has not taken.
  let waiting: FrameBacklog

  init(
    uplink: Uplink, module: VTCPModule?, macAddress: MACAddress?, steering: FlowSteering, flowHash: FlowHash
  ) {
    self.uplink = uplink
    self.module = module
    waiting = FrameBacklog(largestFrames: module == nil ? 0 : 8)
    self.macAddress = macAddress
    self.steering = steering
    self.flowHash = flowHash
    staging = uplink.carriesOffloads ? nil : ByteRegion.allocate(count: FrameLimits.staging)
  }

  deinit {
    slots.deallocate()
    guestHeader.deallocate()
    frames.deallocate()
    queues.deallocate()
    vectors.deallocate()
    staging?.deallocate()
  }

  /// Serves one transmitq until it is empty, the budget is spent or the uplink takes no more.
  func run(_ end: QueueEnd, uplinkQueue: Int, now: Instant) -> PathProgress {
    end.disableKicks()
    var budget = TurnBudget()
    while !budget.isSpent {
      guard sendStagedPieces(end, uplinkQueue, &budget), sendWaiting(uplinkQueue) else { return .waiting }
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
    end.queue.completeFirst(count, of: &end.chains)
    end.untold &+= count
    end.publish()
    end.notifyOfManyTransmitted()
  }

  private func sendBatch(
    _ end: QueueEnd, _ uplinkQueue: Int, _ budget: inout TurnBudget, _ now: Instant
  ) -> PathProgress {
    frameCount = 0
    vectorCount = 0
    let first = end.chains.first
    var chain = 0
    while chain < end.chains.count, vectorCount &+ ChainList.maximumVectorsPerChain < vectors.capacity {
      prepare(end, end.chains.chains[first &+ chain], chain: chain, uplinkQueue, now)
      chain &+= 1
    }
    let accepted = sendRuns()
    count(end, accepted, &budget)
    budget.spend(frames: chain, bytes: 0)
    // Chains without a frame (dropped ones) before the first frame that was not accepted go back as well.
    complete(end, accepted < frameCount ? Int(frames[accepted].index) : chain)
    end.queue.rewind(&end.chains)
    guard accepted < frameCount else { return .more }
    end.counters.add(.waits)
    return .waiting
  }

  /// Sends the frames in order, as many at once as go to the same queue. Returns how many were taken.
  private func sendRuns() -> Int {
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

  private func count(_ end: QueueEnd, _ accepted: Int, _ budget: inout TurnBudget) {
    var bytes = 0
    for index in 0..<accepted {
      let frameLength = Int(frames[index].byteCount) &- VirtioNetHeader.length
      bytes &+= frameLength
      if frameLength > FrameLimits.small { bulkBytes &+= frameLength }
    }
    end.counters.add(.frames, accepted)
    end.counters.add(.bytes, bytes)
    budget.spend(frames: 0, bytes: bytes)
  }

  /// Makes an outgoing frame of a chain, or drops and counts it.
  func prepare(
    _ end: QueueEnd, _ chain: DescriptorChain, chain index: Int, _ uplinkQueue: Int, _ now: Instant
  ) {
    let slot = slots.slice(from: frameCount &* Self.slotBytes, count: Self.slotBytes)
    var cursor = VectorCursor(
      end.chains.vectors, first: Int(chain.firstVector), end: Int(chain.firstVector &+ chain.vectorCount))
    guard let inspected = inspect(end, chain, &cursor, into: slot, now) else { return }
    vectors[vectorCount] = IOVector(slot.slice(from: 0, count: VirtioNetHeader.length &+ inspected))
    let frameLength = chain.byteCount &- guestHeaderLength
    guard let last = cursor.gather(frameLength &- inspected, into: vectors, at: vectorCount &+ 1) else {
      end.counters.add(.badLength)
      return
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
  private func inspect(
    _ end: QueueEnd, _ chain: DescriptorChain, _ cursor: inout VectorCursor, into slot: ByteRegion, _ now: Instant
  ) -> Int? {
    guard chain.isSound else {
      end.counters.add(.unsoundChains)
      return nil
    }
    let frameLength = chain.byteCount &- guestHeaderLength
    guard frameLength >= FrameLimits.minimumFrame, frameLength <= FrameLimits.maximumFrame else {
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
    guard let header = checkedHeader(end, head, frameLength, now) else {
      end.counters.add(.badOffload)
      return nil
    }
    header.encode(into: slot)
    return head.count
  }

  /// The header that the uplink is to see: what the guest asks for, if it fits the frame, and nothing else of what it
  /// wrote (`hdr_len` least of all: CVE-2026-100236).
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
    guard case .valid = OffloadCheck(header: asked, layout: layout, frameLength: frameLength) else { return nil }
    var header = VirtioNetHeader()
    header.flags = .needsChecksum
    header.checksumStart = asked.checksumStart
    header.checksumOffset = asked.checksumOffset
    end.counters.add(.checksumOffloads)
    if asked.needsSegmentation {
      header.rawGSOType = asked.rawGSOType
      header.gsoSize = asked.gsoSize
      header.headerLength = UInt16(truncatingIfNeeded: layout.payloadOffset)
      end.counters.add(.segmentationOffloads)
    }
    return header
  }
}

// MARK: - An uplink without virtio headers

extension TransmitPath {
  /// Copies the first chain's frame whole and stages it; the rest goes back into the ring.
  private func stageOne(_ end: QueueEnd, _ budget: inout TurnBudget, _ now: Instant) -> PathProgress {
    guard let staging else { return .idle }
    // Also for a chain that holds no frame: its driver may post it again as fast as it comes back.
    budget.spend(frames: 1, bytes: 0)
    let chain = end.chains.chains[end.chains.first]
    var cursor = VectorCursor(
      end.chains.vectors, first: Int(chain.firstVector), end: Int(chain.firstVector &+ chain.vectorCount))
    if let inspected = inspect(end, chain, &cursor, into: staging, now) {
      let frameLength = chain.byteCount &- guestHeaderLength
      _ = cursor.read(into: staging.slice(from: VirtioNetHeader.length &+ inspected, count: frameLength &- inspected))
      let whole = staging.slice(from: 0, count: VirtioNetHeader.length &+ frameLength)
      if case .refused = staged.stage(whole, for: [], end.counters) { end.counters.add(.badOffload) }
    }
    complete(end, 1)
    end.queue.rewind(&end.chains)
    return .more
  }

  /// Sends the pieces of the staged frame; false if the uplink takes no more now.
  private func sendStagedPieces(_ end: QueueEnd, _ uplinkQueue: Int, _ budget: inout TurnBudget) -> Bool {
    while !budget.isSpent, let piece = staged.piece {
      VirtioNetHeader().encode(into: slots)
      vectors[0] = IOVector(slots.slice(from: 0, count: VirtioNetHeader.length))
      vectors[1] = IOVector(piece.first)
      vectors[2] = IOVector(piece.rest)
      frames[0] = OutgoingFrame(
        firstVector: 0, vectorCount: piece.rest.count > 0 ? 3 : 2,
        byteCount: Int32(truncatingIfNeeded: VirtioNetHeader.length &+ piece.byteCount), index: 0)
      let outcome = uplink.send(queue: uplinkQueue, frames: frames, first: 0, count: 1, vectors: vectors)
      guard outcome.accepted == 1 else {
        end.counters.add(.waits)
        return false
      }
      end.counters.add(.frames)
      end.counters.add(.bytes, piece.byteCount)
      if piece.byteCount > FrameLimits.small { bulkBytes &+= piece.byteCount }
      budget.spend(frames: 1, bytes: piece.byteCount)
      staged.advance()
    }
    return true
  }

  /// Sends one frame of our own; false if the uplink takes nothing now.
  func send(_ frame: ByteRegion) -> Bool {
    VirtioNetHeader().encode(into: slots)
    vectors[0] = IOVector(slots.slice(from: 0, count: VirtioNetHeader.length))
    vectors[1] = IOVector(frame)
    frames[0] = OutgoingFrame(
      firstVector: 0, vectorCount: 2, byteCount: Int32(truncatingIfNeeded: VirtioNetHeader.length &+ frame.count),
      index: 0)
    return uplink.send(queue: 0, frames: frames, first: 0, count: 1, vectors: vectors).accepted == 1
  }
}
