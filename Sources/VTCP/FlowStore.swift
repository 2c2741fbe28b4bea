// SPDX-License-Identifier: Apache-2.0

import Arena
import LossRecovery
import Memory

/// Where connections lie: everything that they own, by index, in memory that outlives the process.
///
/// A value is a handle; copies are the same store.
struct FlowStore: Sendable {
  let flows: RecordPool<Flow>
  /// Two for each flow: see `SideIndex`.
  let sides: RecordBuffer<FlowSide>
  let sendings: RecordPool<SideSending>
  /// What was sent and when, of all sides.
  let transmissions: TransmissionPool
  let chunks: ChunkPool
  /// First and last of each list.
  private let ends: RecordBuffer<ListLinks>

  /// What a buffer was before it is changed; see `takeBackChange`.
  private let journal: RecordBuffer<BufferChange>

  private static func sidesBytes(_ flowLimit: Int) -> Int {
    (2 * flowLimit * MemoryLayout<FlowSide>.stride + 63) / 64 * 64
  }

  /// One for each side that may send, and what they share.
  private static func transmissionLimit(_ configuration: ModuleConfiguration) -> Int {
    configuration.transmissionLimit + configuration.sendingLimit
  }

  /// Bytes that a store needs.
  static func byteCount(_ configuration: ModuleConfiguration) -> Int {
    pageAligned(
      RecordPool<Flow>.byteCount(limit: configuration.flowLimit) + sidesBytes(configuration.flowLimit)
        + RecordPool<SideSending>.byteCount(limit: configuration.sendingLimit)
        + TransmissionPool.byteCount(limit: transmissionLimit(configuration)) + 64 + BufferChange.byteCount)
      + ChunkPool.byteCount(limit: configuration.chunkLimit)
  }

  private static func pageAligned(_ bytes: Int) -> Int {
    (bytes + ChunkPool.alignment - 1) / ChunkPool.alignment * ChunkPool.alignment
  }

  /// - Parameter region: begins on a page.
  init(over region: ByteRegion, _ configuration: ModuleConfiguration, creating: Bool) throws(ArenaError) {
    var offset = 0
    func section(_ bytes: Int) -> ByteRegion {
      defer { offset += bytes }
      return region.slice(from: offset, count: bytes)
    }
    let needs = Self.byteCount(configuration)
    guard region.count >= needs else { throw .tooSmall(has: region.count, needs: needs) }
    let flowLimit = configuration.flowLimit
    flows = try RecordPool(
      over: section(RecordPool<Flow>.byteCount(limit: flowLimit)), limit: flowLimit, creating: creating)
    sides = RecordBuffer(over: section(Self.sidesBytes(flowLimit)))
    // Whoever takes over makes these anew.
    sendings = try RecordPool(
      over: section(RecordPool<SideSending>.byteCount(limit: configuration.sendingLimit)),
      limit: configuration.sendingLimit, creating: true)
    let transmissionLimit = Self.transmissionLimit(configuration)
    transmissions = try TransmissionPool(
      over: section(TransmissionPool.byteCount(limit: transmissionLimit)), limit: transmissionLimit, creating: true)
    ends = RecordBuffer(over: section(64))
    journal = RecordBuffer(over: section(BufferChange.byteCount))
    offset = Self.pageAligned(offset)
    chunks = try ChunkPool(
      over: section(ChunkPool.byteCount(limit: configuration.chunkLimit)), limit: configuration.chunkLimit,
      creating: creating)
    if creating {
      emptyLists()
      journal[0] = BufferChange()
    }
  }

  /// All lists have no beginning and no end; what flows say of their places is as it was.
  func emptyLists() { for list in 0..<FlowList.count { ends[list] = ListLinks() } }

  /// The direction of data, in its place.
  subscript(side: SideIndex) -> FlowSide {
    get { sides[side.rawValue] }
    nonmutating _modify { yield &sides[side.rawValue] }
  }

  /// Gives back everything that a side holds. What was owned is lost.
  func clear(_ side: SideIndex) {
    beginChange(side)
    self[side].buffer.releaseAll(in: chunks)
    endChange()
    let sending = self[side].sending
    guard !sending.isNone else { return }
    sendings[sending].recovery.forget(in: transmissions)
    sendings.free(sending)
    self[side].sending = .none
  }
}

// MARK: - Changes

extension FlowStore {
  /// To be called before the buffer of a side is changed. What is given back in between keeps its content: a killed process's change
  /// can be taken back.
  func beginChange(_ side: SideIndex) {
    journal[0].side = UInt32(truncatingIfNeeded: side.rawValue)
    journal[0].buffer = self[side].buffer
    keepOrder()
    journal[0].isOpen = true
    keepOrder()
  }

  func endChange() {
    keepOrder()
    journal[0].isOpen = false
  }

  /// Whoever began a change and did not end it was killed in between: the buffer is what it was, but for what lay behind its end.
  func takeBackChange() {
    let change = journal[0]
    guard change.isOpen else { return }
    if Int(change.side) < sides.capacity { sides[Int(change.side)].buffer = change.buffer.withoutLater }
    journal[0].isOpen = false
  }
}

// MARK: - Lists

extension FlowStore {
  func first(of list: FlowList) -> RecordIndex { ends[Int(list.rawValue)].next }

  func isListed(_ flow: RecordIndex, in list: FlowList) -> Bool { flows[flow].listed & list.bit != 0 }

  /// To the end of the list, wherever it was.
  func append(_ flow: RecordIndex, to list: FlowList) {
    remove(flow, from: list)
    let last = ends[Int(list.rawValue)].previous
    self[flow, list] = ListLinks(previous: last, next: .none)
    if last.isNone { ends[Int(list.rawValue)].next = flow } else { self[last, list].next = flow }
    ends[Int(list.rawValue)].previous = flow
    flows[flow].listed |= list.bit
  }

  func remove(_ flow: RecordIndex, from list: FlowList) {
    guard isListed(flow, in: list) else { return }
    let links = self[flow, list]
    if links.previous.isNone {
      ends[Int(list.rawValue)].next = links.next
    } else {
      self[links.previous, list].next = links.next
    }
    if links.next.isNone {
      ends[Int(list.rawValue)].previous = links.previous
    } else {
      self[links.next, list].previous = links.previous
    }
    flows[flow].listed &= ~list.bit
  }

  private subscript(flow: RecordIndex, list: FlowList) -> ListLinks {
    get {
      switch list {
      case .toGuest: flows[flow].toGuest
      case .toNetwork: flows[flow].toNetwork
      case .age: flows[flow].age
      }
    }
    // Not `_modify`: with a yield in each branch its frame, that of the pool's with it, is allocated.
    nonmutating set {
      switch list {
      case .toGuest: flows[flow].toGuest = newValue
      case .toNetwork: flows[flow].toNetwork = newValue
      case .age: flows[flow].age = newValue
      }
    }
  }
}
