// SPDX-License-Identifier: Apache-2.0

import LargeSend
import Memory
import Packets
import Timekeeping
import Uplinks
import VTCP
import Virtio
import Wire

// The first stage of multi-stage large send offload: frames that are larger than the uplink takes in one piece.
//
// The pieces of a frame leave before anything behind it. If the uplink takes no more, or the budget is spent, the chain goes back into
// the ring with the rest, and the queue remembers how much of it has left: it is read and checked again, and its pieces go on
// from there. So nothing is copied, and what is remembered is a number. A driver that has changed the frame meanwhile sends what it
// gets; one that has stopped the ring has the frame sent from the start, which TCP takes for a duplicate.

extension TransmitPath {
  /// Gets ready to split the frame that begins with the virtio header and the bytes in `slot`; false if it was dropped, as it can't be.
  @inline(never)
  func beginSplitting(
    _ end: QueueEnd, _ request: OffloadRequest, _ slot: ByteRegion, _ rest: VectorCursor, from position: Int
  ) -> Bool {
    let bytes = slot.suffix(from: VirtioNetHeader.length)
    let head = largeHead.slice(from: 0, count: bytes.count)
    head.copy(from: bytes)
    splitter = LargeSendSplitter(
      head: head, rest: rest, header: VirtioNetHeader(decoding: slot), request: request, limits: limits, from: position)
    guard splitter == nil else { return true }
    end.counters.add(.splitRefused)
    return false
  }

  /// Sends the frame that `splitter` has, which is of the first chain, piece by piece.
  @inline(never)
  func sendPieces(_ end: QueueEnd, _ uplinkQueue: Int, _ budget: inout TurnBudget, _ now: Instant) -> PathProgress {
    guard var splitter else { return .more }
    self.splitter = nil
    let queue = Int32(truncatingIfNeeded: learnsFlows ? learnedPair % uplink.queueCount : uplinkQueue)
    while !splitter.isDone {
      guard !budget.isSpent else {
        end.splitPosition = splitter.position
        return .more
      }
      frameCount = 0
      vectorCount = 0
      while addPiece(&splitter) != nil { queues[frameCount &- 1] = queue }
      guard frameCount > 0 else { break }
      let sent = sendRuns()
      if isTapped { showSent(sent, now) }
      count(end, sent, &budget)
      countPieces(end, sent)
      budget.spend(frames: sent, bytes: 0)
      guard sent == frameCount else {
        end.splitPosition = Int(frames[sent].index)
        end.counters.add(.waits)
        return .waiting
      }
    }
    finishSplitting(end)
    return .more
  }

  /// The same by way of the accelerator, to which each piece is a frame.
  @inline(never)
  func sendPieces(
    through module: VTCPModule, _ end: QueueEnd, _ uplinkQueue: Int, _ budget: inout TurnBudget, _ now: Instant
  ) -> PathProgress {
    guard var splitter else { return .more }
    self.splitter = nil
    while !splitter.isDone {
      guard !budget.isSpent else {
        end.splitPosition = splitter.position
        return .more
      }
      let before = splitter.position
      judgePieces(module, &splitter, end, &budget, now)
      guard splitter.position > before else { break }
      guard sendJudged(uplinkQueue) else {
        if splitter.isDone { finishSplitting(end) } else { end.splitPosition = splitter.position }
        end.counters.add(.waits)
        return .waiting
      }
    }
    finishSplitting(end)
    return .more
  }

  /// Lets the accelerator judge the next pieces, as many as the backlog would hold; those that pass are ready to be sent.
  private func judgePieces(
    _ module: VTCPModule, _ splitter: inout LargeSendSplitter, _ end: QueueEnd, _ budget: inout TurnBudget,
    _ now: Instant
  ) {
    frameCount = 0
    vectorCount = 0
    var bytes = 0
    while !budget.isSpent, waiting.hasRoom(behind: frameCount, of: bytes) {
      let (place, firstVector) = (frameCount, vectorCount)
      guard let piece = addPiece(&splitter) else { return }
      let length = Int(piece.frame.byteCount) &- VirtioNetHeader.length
      end.counters.add(.frames)
      end.counters.add(.bytes, length)
      end.counters.add(.splitPieces)
      end.counters.add(.checksumOffloads)
      if piece.isLarge { end.counters.add(.segmentationOffloads) }
      budget.spend(frames: 1, bytes: length)
      if length > FrameLimits.small { bulkBytes &+= length }
      let frame = passing(place, length)
      if judge(module, frame, now) == .pass {
        if frame.segmentSize != 0, module.passedReduction { markReduction(place) }
        bytes &+= Int(piece.frame.byteCount)
      } else {
        frameCount = place
        vectorCount = firstVector
      }
    }
  }

  /// Makes the next piece an outgoing frame; nil if there is none, or no room for more at once.
  private func addPiece(_ splitter: inout LargeSendSplitter) -> LargeSendSplitter.Piece? {
    guard frameCount < Self.batch else { return nil }
    let slot = slots.slice(from: frameCount &* Self.slotBytes, count: Self.slotBytes)
    guard let piece = splitter.next(into: slot, vectors: vectors, at: vectorCount) else { return nil }
    frames[frameCount] = piece.frame
    vectorCount = piece.vectorsEnd
    frameCount &+= 1
    return piece
  }

  /// Of the pieces that are ready, so many have left.
  private func countPieces(_ end: QueueEnd, _ sent: Int) {
    end.counters.add(.splitPieces, sent)
    end.counters.add(.checksumOffloads, sent)
    for index in 0..<sent {
      let slot = slots.slice(from: index &* Self.slotBytes, count: Self.slotBytes)
      if VirtioNetHeader(decoding: slot).needsSegmentation { end.counters.add(.segmentationOffloads) }
      // Pieces are no frames of the guest's.
      if Int(frames[index].byteCount) &- VirtioNetHeader.length > FrameLimits.small { bulkFrames &-= 1 }
    }
  }

  private func finishSplitting(_ end: QueueEnd) {
    end.counters.add(.splitFrames)
    bulkFrames &+= 1
    complete(end, 1)
  }
}

extension VirtioNetHeader {
  /// The same request once a jumbogram's header was taken out of the frame, which had this layout.
  func behindJumboHeader(_ layout: FrameLayout) -> VirtioNetHeader {
    var result = self
    // What names a place in it, or before, is refused: 0 is in the Ethernet header.
    let end = layout.networkOffset &+ 40 &+ JumboPayload.headerLength
    result.checksumStart = Int(checksumStart) >= end ? checksumStart &- UInt16(JumboPayload.headerLength) : 0
    return result
  }
}
