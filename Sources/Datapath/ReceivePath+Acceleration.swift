// SPDX-License-Identifier: Apache-2.0

import Memory
import Packets
import Timekeeping
import Uplinks
import VTCP
import Virtio
import Wire

// The way through the TCP accelerator: each frame is judged once, when it has been read. What the accelerator sends itself is staged.

extension ReceivePath {
  /// What becomes of a frame for the guest; its head, which is private memory, may be patched.
  ///
  /// - Parameter rest: the vectors behind the head, of private memory or of the guest's. It can change its own: what it
  ///   is sent again then is not what came, and nobody else's.
  func judge(
    _ module: VTCPModule, _ header: VirtioNetHeader, _ head: ByteRegion, _ frameLength: Int, _ rest: Range<Int>,
    _ now: Instant
  ) -> Verdict {
    var frame = PassingFrame(
      head: head, length: frameLength, vectors: vectors, firstVector: rest.lowerBound, vectorsEnd: rest.upperBound)
    frame.needsChecksum = header.needsChecksum
    frame.isVerified = header.flags.contains(.dataValid)
    frame.segmentSize = header.needsSegmentation ? header.gsoSize : 0
    return isTapped
      ? tap.judge(module, from: .network, frame, now) : module.arrive(from: .network, frame, now: now)
  }

  /// What becomes of the frame that was read in place, up to `vectorsEnd`.
  @inline(__always)
  func judgeInPlace(
    _ header: VirtioNetHeader, _ head: ByteRegion, _ frameLength: Int, _ vectorsEnd: Int, _ now: Instant
  ) -> Verdict {
    module.with { judge($0, header, head, frameLength, 1..<vectorsEnd, now) }
      ?? unjudged(head, frameLength, 1..<vectorsEnd, now)
  }

  /// What becomes of a frame without an accelerator.
  @inline(__always)
  func unjudged(_ head: ByteRegion, _ frameLength: Int, _ rest: Range<Int>, _ now: Instant) -> Verdict {
    if isTapped { show(head, frameLength, rest, now) }
    return .pass
  }

  @inline(__always)
  func unjudged(staged region: ByteRegion, _ now: Instant) -> Verdict {
    if isTapped {
      let frame = region.suffix(from: VirtioNetHeader.length)
      show(frame, frame.count, 0..<0, now)
    }
    return .pass
  }

  @inline(never)
  private func show(_ head: ByteRegion, _ frameLength: Int, _ rest: Range<Int>, _ now: Instant) {
    tap.passed(
      from: .network,
      PassingFrame(
        head: head, length: frameLength, vectors: vectors, firstVector: rest.lowerBound, vectorsEnd: rest.upperBound),
      now)
  }

  /// The same of a virtio header and the frame behind it.
  @inline(never)
  func judge(_ module: VTCPModule, staged region: ByteRegion, _ now: Instant) -> Verdict {
    let frame = region.suffix(from: VirtioNetHeader.length)
    let head = frame.slice(from: 0, count: min(frame.count, FrameLimits.inspected))
    vectors[0] = IOVector(frame.suffix(from: head.count))
    return judge(module, VirtioNetHeader(decoding: region), head, frame.count, 0..<1, now)
  }

  /// Writes a virtio header, and behind it the frame that the module has put in the place of the one that came with it.
  ///
  /// - Parameter room: `privateBytes` or more; that in which the header lies, or another.
  func replacement(_ module: VTCPModule, _ header: VirtioNetHeader, into room: ByteRegion) -> ByteRegion {
    header.encode(into: room)
    let frame = module.replacement
    room.copy(from: frame, at: VirtioNetHeader.length)
    return room.slice(from: 0, count: VirtioNetHeader.length &+ frame.count)
  }

  /// Gives the guest what the accelerator has put in the place of the frame that was read in place: private memory has all of
  /// it. False if it is dropped, and counted.
  @inline(never)
  func takeReplacement(_ end: QueueEnd, _ header: VirtioNetHeader) -> Bool {
    guard let whole = module.with({ replacement($0, header, into: uplinkHeader) }) else { return false }
    let head = whole.suffix(from: VirtioNetHeader.length)
    let total = guest.headerLength &+ head.count
    // They hold the largest frame.
    guard let chains = end.queue.chainsHolding(total, in: end.chains), guest.mergesBuffers || chains == 1 else {
      end.counters.add(.tooLarge)
      return false
    }
    give(end, header, head, total, chains)
    return true
  }

  /// Stages what the accelerator has put in the place of a frame, in memory that nothing is read to while a frame is staged.
  @inline(never)
  func stageReplacement(of region: ByteRegion, _ now: Instant) {
    let header = VirtioNetHeader(decoding: region)
    if let whole = module.with({ replacement($0, header, into: uplinkHeader) }) { stage(whole, now) }
  }

  /// Reads on though a staged frame waits for the guest's buffers: what the accelerator keeps is acknowledged now, and the guest gets it
  /// when it runs. What passes waits behind the staged frame; without room for more of that, all waits in the uplink. If nothing would be
  /// kept, all waits there at once: what is read now is copied, and what is read when the guest has buffers goes straight into them.
  func absorb(_ now: Instant, _ budget: inout TurnBudget) -> PathProgress {
    guard module.with({ $0.keepsSomething(now) }) == true, ends.with(stagedPair, \.isServed) else { return .waiting }
    while isReady, let room = backlog.room {
      guard !budget.isSpent else { return .more }
      vectors[0] = IOVector(room)
      let count = uplink.receive(queue: uplinkQueue, vectors: vectors, first: 0, count: 1)
      guard count != 0 else {
        isReady = false
        break
      }
      let region = room.slice(from: 0, count: max(count, 0))
      budget.spend(frames: 1, bytes: region.count)
      let verdict = verdict(on: region, now)
      guard verdict != .consumed, module.with({ $0.passFailed() }) == false else { continue }
      let grown =
        verdict == .pass ? nil : module.with { replacement($0, VirtioNetHeader(decoding: region), into: room) }
      backlog.keep(grown?.count ?? region.count)
    }
    return .waiting
  }

  /// Stages the next frame that the module has for the guest; false if it has none.
  func stageEmission(_ module: VTCPModule, _ region: ByteRegion, _ now: Instant) -> Bool {
    let head = region.slice(from: VirtioNetHeader.length, count: SegmentTemplate.maximumHeaderLength)
    guard
      let emission = module.emit(
        to: .guest, head: head, vectors: vectors, first: 0, largest: FrameLimits.largestSend, now: now)
    else { return false }
    VirtioNetHeader(emission).encode(into: region)
    let payload = VirtioNetHeader.length &+ emission.headerLength
    var cursor = VectorCursor(vectors, first: 0, end: emission.vectorsEnd)
    _ = cursor.read(into: region.slice(from: payload, count: emission.payloadCount))
    let whole = region.slice(from: 0, count: payload &+ emission.payloadCount)
    if isSteered { stagedPair = steer(whole.suffix(from: VirtioNetHeader.length), now) }
    let counters = ends.with(stagedPair, \.counters)
    if case .refused = staged.stage(whole, for: guest.offloads, counters) { counters.add(.badOffload) }
    if isTapped { tap.emitted(module, to: .guest, whole: whole.suffix(from: VirtioNetHeader.length), now) }
    // From here on it waits here for the guest's buffers, and nowhere else.
    module.emitted(now: now)
    return true
  }
}
