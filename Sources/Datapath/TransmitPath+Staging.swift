// SPDX-License-Identifier: Apache-2.0

import Memory
import Packets
import Timekeeping
import Uplinks
import VTCP
import Virtio
import Wire

// An uplink without virtio headers.

extension TransmitPath {
  /// Copies the first chain's frame whole and stages it; the rest goes back into the ring.
  func stageOne(_ end: QueueEnd, _ budget: inout TurnBudget, _ now: Instant) -> PathProgress {
    guard let staging else { return .idle }
    // Also for a chain that holds no frame: its driver may post it again as fast as it comes back.
    budget.spend(frames: 1, bytes: 0)
    let chain = end.chains.chains[end.chains.first]
    var cursor = VectorCursor(
      end.chains.vectors, first: Int(chain.firstVector), end: Int(chain.firstVector &+ chain.vectorCount))
    if var inspected = inspect(end, chain, &cursor, into: staging, now) {
      let removed = takeRemovedBytes()
      inspected &-= removed
      let frameLength = chain.byteCount &- guestHeaderLength &- removed
      _ = cursor.read(into: staging.slice(from: VirtioNetHeader.length &+ inspected, count: frameLength &- inspected))
      let whole = staging.slice(from: 0, count: VirtioNetHeader.length &+ frameLength)
      if case .refused = staged.stage(whole, for: [], end.counters) { end.counters.add(.badOffload) }
    }
    complete(end, 1)
    end.queue.rewind(&end.chains)
    return .more
  }

  /// Sends the pieces of the staged frame; false if the uplink takes no more now.
  func sendStagedPieces(
    _ end: QueueEnd, _ uplinkQueue: Int, _ budget: inout TurnBudget, _ now: Instant
  ) -> Bool {
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
      if isTapped {
        tap.passed(
          from: .guest,
          PassingFrame(
            head: piece.first, length: piece.byteCount, vectors: vectors, firstVector: 2,
            vectorsEnd: Int(frames[0].vectorCount)), now)
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
