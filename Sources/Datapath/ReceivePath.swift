// SPDX-License-Identifier: Apache-2.0

import LargeSend
import Memory
import Packets
import Timekeeping
import Uplinks
import VTCP
import Virtio
import Wire

/// From the network to the guest: one queue of the uplink to the receiveqs.
///
/// # Theory of operation
///
/// *In place*: if the guest takes everything that the uplink may hand up, the uplink's queue belongs to one receiveq,
/// that has buffers for the largest frame, and frames were not all small lately, then a frame is read from the uplink
/// straight into guest memory. Only its headers go by way of private memory.
///
/// *Staged*: else the frame is read into private memory, a queue is chosen for it, it is completed or cut if the guest
/// can't take it whole, and copied into the buffers that the guest has. If they are too few, the frame waits and so
/// does everything behind it, in the uplink: back-pressure instead of drops. But the TCP accelerator gets what is for it all the
/// same, since a guest that does not run is what it is there for (`absorb`).
///
/// A frame is dropped, and counted, only if all buffers that the guest could ever post would not hold it.
final class ReceivePath {
  let uplink: Uplink
  let uplinkQueue: Int
  let ends: QueueEnds
  private let macAddress: MACAddress?
  let steering: FlowSteering
  var flowHash: FlowHash

  /// Of a frame that is read in place, what is looked at before the guest has it: the virtio header and the first bytes.
  private static let privateBytes = VirtioNetHeader.length + FrameLimits.inspected
  /// How often a turn looks for buffers for one frame: two looks do for an honest driver.
  private static let looksForBuffers = 8

  let uplinkHeader = ByteRegion.allocate(count: privateBytes)
  private let guestHeader = ByteRegion.allocate(count: VirtioNetHeader.lengthWithBufferCount)
  let vectors = RecordBuffer<IOVector>(capacity: ChainList.maximumVectorsPerChain, repeating: .none)
  private let staging: ByteRegion?
  let module: ModuleReference
  /// Where frames are shown, if `isTapped`.
  let tap: FrameTap
  var isTapped = false
  /// Where frames of the accelerator's are put together; only of the path that gives them to the guest.
  private let emissions: ByteRegion?
  private let announcer: FirstSizeAnnouncer
  /// It has a message for the guest, which this path is to bring.
  var isAnnouncing = false
  let staged = StagedFrame()
  /// Frames behind the staged one that have passed the accelerator.
  let backlog: FrameBacklog
  /// The queue pair whose receiveq gets the staged frame.
  var stagedPair: Int

  /// The uplink may have something for us.
  var isReady = true
  /// The receiveq that gets all frames, unless each is steered.
  let home: QueueEnd
  private let homePair: Int
  var isSteered = false
  /// Queue pairs that frames are steered to.
  private(set) var activePairs = 1
  var guest = GuestAbilities()
  private var readsInPlace = false
  /// Bytes of large frames that guests were given. Wraps.
  private(set) var bulkBytes = 0
  /// Frames in a row that were small; no more than `smallRun` are counted.
  private var smallFrames = 0
  /// After so many of them the next one is expected to be small too.
  private static let smallRun = 16
  /// Bytes given to guests in this turn since some were last handed over.
  private var unseenBytes = 0
  /// So many are handed over before the turn ends. Small frames never are so many: they are better seen together.
  private static let handedOverAtOnce = 16384
  /// The largest frame that the link sends unless it is to be segmented later. Bytes.
  private var linkFrame: Int
  /// Behind the guest's buffers when reading in place: shows that a frame was longer than they are.
  private let overflow = ByteRegion.allocate(count: 64)

  /// `ends`: the receiveqs by queue pair.
  init(
    uplink: Uplink, uplinkQueue: Int, module: VTCPModule?, tap: FrameTap, announcer: FirstSizeAnnouncer,
    ends: [QueueEnd], macAddress: MACAddress?, steering: FlowSteering, flowHash: FlowHash
  ) {
    self.tap = tap
    self.announcer = announcer
    self.uplink = uplink
    self.uplinkQueue = uplinkQueue
    self.module = ModuleReference(module)
    emissions = module == nil || uplinkQueue > 0 ? nil : ByteRegion.allocate(count: FrameLimits.staging)
    backlog = FrameBacklog(largestFrames: module != nil && !uplink.stagesFrames ? 4 : 0)
    self.ends = QueueEnds(ends)
    homePair = uplinkQueue % ends.count
    home = ends[homePair]
    self.macAddress = macAddress
    self.steering = steering
    self.flowHash = flowHash
    stagedPair = homePair
    linkFrame = Self.largestLinkFrame(uplink)
    staging = uplink.stagesFrames ? nil : ByteRegion.allocate(count: FrameLimits.staging)
  }

  deinit {
    ends.deallocate()
    uplinkHeader.deallocate()
    guestHeader.deallocate()
    vectors.deallocate()
    overflow.deallocate()
    staging?.deallocate()
    emissions?.deallocate()
  }

  /// What the guest takes, what the uplink may hand up in spite of it, and how many queue pairs share the uplink's
  /// queue.
  func configure(_ guest: GuestAbilities, handedUp: ReceiveOffloads, activePairs: Int, isSteered: Bool) {
    // What is staged was made for a guest with other abilities.
    if guest != self.guest {
      staged.clear()
      backlog.clear()
    }
    self.guest = guest
    linkFrame = Self.largestLinkFrame(uplink)
    self.activePairs = max(activePairs, 1)
    self.isSteered = isSteered
    if !isSteered { stagedPair = homePair }
    readsInPlace = !isSteered && !uplink.stagesFrames && handedUp.isSubset(of: guest.offloads)
  }

  /// Moves frames until the uplink has no more, the budget is spent or a guest's queue has no room.
  func run(now: Instant) -> PathProgress {
    var budget = TurnBudget()
    unseenBytes = 0
    while !budget.isSpent {
      if let piece = staged.piece {
        guard ends.with(stagedPair, { deliver(piece, to: $0, &budget) }) else {
          return budget.isSpent ? .more : absorb(now, &budget)
        }
        staged.advance()
        continue
      }
      guard hasTaker else { return .idle }
      if let region = backlog.next() {
        stage(region, now)
        continue
      }
      if isAnnouncing {
        announceFirstSize(now)
        continue
      }
      if let emissions, module.with({ stageEmission($0, emissions, now) }) == true { continue }
      guard isReady else { return .idle }
      let isDone: Bool
      if readsInPlace, smallFrames < Self.smallRun, let capacity = roomForAnyFrame(home) {
        isDone = !readInPlace(home, capacity, now, &budget)
      } else {
        isDone = !stageNext(now, &budget)
      }
      if isDone {
        isReady = false
        return .idle
      }
    }
    return .more
  }

  /// Stages what the guest's module is to know.
  @inline(never)
  private func announceFirstSize(_ now: Instant) {
    isAnnouncing = false
    if let message = announcer.next() { stage(message, now) }
  }
}

// MARK: - In place

extension ReceivePath {
  /// Bytes that the largest frame and the guest's header take; nil if the queue's buffers do not hold them now.
  private func roomForAnyFrame(_ end: QueueEnd) -> Int? {
    let isLarge = guest.takesLargeFrames || guest.mergesBuffers
    let wanted = guest.headerLength &+ (isLarge ? FrameLimits.maximumFrame : linkFrame)
    guard skipUnusable(end) || refill(end, wanted) && skipUnusable(end) else { return nil }
    if guest.mergesBuffers {
      guard end.chains.byteCount >= wanted || refill(end, wanted) else { return nil }
    } else {
      guard end.chains.chains[end.chains.first].byteCount >= wanted else { return nil }
    }
    return wanted
  }

  /// The link's MTU, an Ethernet header and a VLAN tag.
  private static func largestLinkFrame(_ uplink: Uplink) -> Int {
    (uplink.mtu ?? 1500) + FrameLayout.ethernetHeaderLength + 4
  }

  /// Reads one frame into the guest's buffers. False if the uplink has none.
  private func readInPlace(
    _ end: QueueEnd, _ capacity: Int, _ now: Instant, _ budget: inout TurnBudget
  ) -> Bool {
    var cursor = VectorCursor(end.chains.vectors, first: end.chains.firstVector, end: end.chains.vectorsEnd)
    cursor.skip(guest.headerLength &+ FrameLimits.inspected)
    vectors[0] = IOVector(uplinkHeader)
    let room = capacity &- guest.headerLength &- FrameLimits.inspected
    guard let last = cursor.gather(room, into: vectors, at: 1), last < vectors.capacity else {
      // Buffers so small that the kernel does not take so many at once.
      return stageNext(now, &budget)
    }
    vectors[last] = IOVector(overflow)
    let count = uplink.receive(queue: uplinkQueue, vectors: vectors, first: 0, count: last &+ 1)
    guard count != 0 else { return false }
    let frameLength = count &- VirtioNetHeader.length
    noteSize(frameLength)
    budget.spend(frames: 1, bytes: max(frameLength, 0))
    if !take(end, frameLength, capacity, vectorsEnd: last, now) {
      // The next frame gets the buffers, but what is in them now may have been written. After an error, how far?
      let written = count < 0 ? room : min(frameLength &- FrameLimits.inspected, room)
      end.queue.spoiled(written, after: guest.headerLength &+ FrameLimits.inspected, in: end.chains)
    }
    return true
  }

  /// Gives the guest the frame that was read into its buffers. False if it is dropped, and counted, instead, or if the accelerator
  /// has kept it.
  private func take(
    _ end: QueueEnd, _ frameLength: Int, _ capacity: Int, vectorsEnd: Int, _ now: Instant
  ) -> Bool {
    guard frameLength <= capacity &- guest.headerLength else {
      // The link's MTU was raised. This frame is cut off, the next one will not be.
      end.counters.add(.tooLarge)
      linkFrame = Self.largestLinkFrame(uplink)
      return false
    }
    guard frameLength >= FrameLimits.minimumFrame else {
      end.counters.add(.badLength)
      return false
    }
    let head = uplinkHeader.slice(from: VirtioNetHeader.length, count: min(frameLength, FrameLimits.inspected))
    guard isAcceptable(head, frameLength, end) else { return false }
    let total = guest.headerLength &+ frameLength
    guard let chains = end.queue.chainsHolding(total, in: end.chains), guest.mergesBuffers || chains == 1 else {
      end.counters.add(.tooLarge)
      return false
    }
    let header = VirtioNetHeader(decoding: uplinkHeader)
    switch judgeInPlace(header, head, frameLength, vectorsEnd, now) {
    case .pass: give(end, header, head, total, chains)
    case .replaced: return takeReplacement(end, header)
    case .consumed: return false
    }
    return true
  }

  /// Writes the bytes that went by way of private memory to the guest's buffers, and gives them back.
  @inline(__always)
  func give(_ end: QueueEnd, _ header: VirtioNetHeader, _ head: ByteRegion, _ total: Int, _ chains: Int) {
    var header = header
    if !guest.offloads.contains(.checksum) { header.flags = [] }
    var start = VectorCursor(end.chains.vectors, first: end.chains.firstVector, end: end.chains.vectorsEnd)
    start.skip(guest.headerLength)
    _ = start.write(head)
    finish(end, header, total, chains)
  }

  /// Whether the guest may have the frame that starts with `head`; if not, it is counted.
  private func isAcceptable(_ head: ByteRegion, _ frameLength: Int, _ end: QueueEnd) -> Bool {
    if let macAddress, isForeign(head, macAddress) {
      end.counters.add(.foreign)
      return false
    }
    let header = VirtioNetHeader(decoding: uplinkHeader)
    guard !uplink.headersAreSound, header.needsChecksum || header.needsSegmentation else { return true }
    guard let layout = FrameLayout(parsing: head, frameLength: frameLength),
      case .valid = OffloadCheck(header: header, layout: layout, frameLength: frameLength)
    else {
      end.counters.add(.badOffload)
      return false
    }
    return true
  }

  /// Writes the guest's header into its buffers and gives them back.
  private func finish(_ end: QueueEnd, _ header: VirtioNetHeader, _ total: Int, _ chains: Int) {
    header.encode(into: guestHeader)
    // num_buffers: 1 even if it was not negotiated, where the field is there (virtio 1.3, 5.1.6.4.1).
    guestHeader.store(UInt16(truncatingIfNeeded: chains), at: VirtioNetHeader.length)
    var start = VectorCursor(end.chains.vectors, first: end.chains.firstVector, end: end.chains.vectorsEnd)
    _ = start.write(guestHeader.slice(from: 0, count: guest.headerLength))
    end.queue.completeWritten(total, chains: chains, of: &end.chains)
    end.counters.add(.frames)
    end.counters.add(.bytes, total &- guest.headerLength)
    if total > FrameLimits.small { bulkBytes &+= total }
    if header.needsSegmentation { end.counters.add(.segmentationOffloads) }
    if header.needsChecksum { end.counters.add(.checksumOffloads) }
    end.hasUnpublished = true
    unseenBytes &+= total
    if unseenBytes >= Self.handedOverAtOnce {
      unseenBytes = 0
      end.handOver()
    }
  }
}

// MARK: - Staged

extension ReceivePath {
  private func noteSize(_ byteCount: Int) {
    smallFrames = byteCount > FrameLimits.small ? 0 : min(smallFrames &+ 1, Self.smallRun)
  }

  /// Stages the uplink's next frame. False if it has none.
  @inline(__always)
  private func stageNext(_ now: Instant, _ budget: inout TurnBudget) -> Bool {
    guard let region = nextRegion() else { return false }
    noteSize(region.count)
    budget.spend(frames: 1, bytes: region.count)
    switch verdict(on: region, now) {
    case .pass: stage(region, now)
    case .replaced: stageReplacement(of: region, now)
    case .consumed: break
    }
    return true
  }

  /// Whether the guest is to have what is behind the virtio header; if not, it is counted, or the accelerator has kept it.
  @inline(__always)
  func verdict(on region: ByteRegion, _ now: Instant) -> Verdict {
    guard region.count >= VirtioNetHeader.length &+ FrameLimits.minimumFrame else {
      if region.count > 0 { home.counters.add(.badLength) }
      return .consumed
    }
    if let macAddress, isForeign(region.suffix(from: VirtioNetHeader.length), macAddress) {
      home.counters.add(.foreign)
      return .consumed
    }
    return module.with { judge($0, staged: region, now) } ?? unjudged(staged: region, now)
  }

  @inline(__always)
  func stage(_ region: ByteRegion, _ now: Instant) {
    if isSteered { stagedPair = steer(region.suffix(from: VirtioNetHeader.length), now) }
    let counters = ends.with(stagedPair, \.counters)
    if case .refused = staged.stage(region, for: guest.offloads, counters) { counters.add(.badOffload) }
  }

  /// The next virtio header and frame in private memory; empty after an error; nil if there is none.
  private func nextRegion() -> ByteRegion? {
    guard let staging else { return uplink.nextFrame(queue: uplinkQueue) }
    vectors[0] = IOVector(staging)
    let count = uplink.receive(queue: uplinkQueue, vectors: vectors, first: 0, count: 1)
    return count == 0 ? nil : staging.slice(from: 0, count: max(count, 0))
  }

  /// Copies a piece into the guest's buffers, or drops it if they can never hold it. False: it has to wait.
  private func deliver(_ piece: StagedFrame.Piece, to end: QueueEnd, _ budget: inout TurnBudget) -> Bool {
    // A queue that is stopped comes back; but it does not hold up frames for other queues.
    guard end.isServed else { return isSteered || end.queue.fault != nil }
    let total = guest.headerLength &+ piece.byteCount
    guard let chains = chainsFor(total, end, &budget) else {
      guard end.queue.fault == nil else { return true }
      guard isFull(end) else {
        end.counters.add(.waits)
        return false
      }
      end.counters.add(.tooLarge)
      return true
    }
    budget.spend(frames: 1, bytes: piece.byteCount)
    guard chains > 0 else {
      end.counters.add(.tooLarge)
      return true
    }
    var cursor = VectorCursor(end.chains.vectors, first: end.chains.firstVector, end: end.chains.vectorsEnd)
    cursor.skip(guest.headerLength)
    _ = cursor.write(piece.first)
    _ = cursor.write(piece.rest)
    finish(end, piece.header, total, chains)
    return true
  }

  /// How many buffers take `total` bytes; nil: there are too few now; 0: without merging, none will ever do.
  ///
  /// A driver on another CPU may post useless buffers as fast as they are given back (CVE-2026-74356 has the like): a
  /// few looks are all that a turn has for it.
  private func chainsFor(_ total: Int, _ end: QueueEnd, _ budget: inout TurnBudget) -> Int? {
    for _ in 0..<Self.looksForBuffers {
      if skipUnusable(end) {
        if !guest.mergesBuffers { return end.chains.chains[end.chains.first].byteCount >= total ? 1 : 0 }
        if let chains = end.queue.chainsHolding(total, in: end.chains) { return chains }
      }
      guard refill(end, total) || wakeOnBuffers(end) else { return nil }
    }
    budget.end()
    return nil
  }
}
