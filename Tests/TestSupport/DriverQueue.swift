// SPDX-License-Identifier: Apache-2.0
import CTestSupport

/// The driver's side of one virtqueue in guest memory, written from virtio 1.3 sections 2.7 and 2.8.
///
/// An honest driver by `add`, `kickIfNeeded` and `collectUsed`; a hostile one by `DriverQueue+Raw`, where every
/// descriptor, index and flag can be written.
public final class DriverQueue {
  public enum Layout: String, Sendable, CaseIterable {
    case split
    case packed
  }

  public struct Options: Sendable {
    public var layout: Layout
    public var size: UInt16
    public var indirect: Bool
    public var eventIndex: Bool
    public var inOrder: Bool

    public init(
      layout: Layout = .split, size: UInt16 = 256, indirect: Bool = false, eventIndex: Bool = false,
      inOrder: Bool = false
    ) {
      self.layout = layout
      self.size = size
      self.indirect = indirect
      self.eventIndex = eventIndex
      self.inOrder = inOrder
    }
  }

  /// One element of a buffer as a descriptor describes it.
  public struct Element: Sendable, Equatable {
    public var address: UInt64
    public var length: UInt32
    public var isWritable: Bool

    public init(address: UInt64, length: UInt32, isWritable: Bool) {
      self.address = address
      self.length = length
      self.isWritable = isWritable
    }
  }

  /// A buffer that the device has given back.
  public struct Completion: Sendable {
    /// What `add` returned for it.
    public var token: Int
    /// used.len; nil where the device skipped it in an in-order batch (2.7.9, 2.8.8).
    public var length: UInt32?
    public var elements: [Element]
  }

  /// When the driver wants to be interrupted.
  public enum Interrupts: Sendable, Equatable {
    case always
    case never
    /// Once `count` more buffers are used (event index only).
    case after(UInt16)
  }

  struct Chain {
    /// The head's index (split) or the buffer identifier (packed).
    var identifier: UInt16
    var token: Int
    var elements: [Element]
    /// Ring descriptors that it occupies.
    var descriptors: [UInt16]
  }

  public let ram: GuestRAM
  public let options: Options
  public let kick: Event
  public let call: Event
  public let error: Event
  /// Guest addresses of the three parts of the ring (2.7, 2.8.10).
  public let descriptorArea: UInt64
  public let driverArea: UInt64
  public let deviceArea: UInt64

  /// Kicks that were really sent, and those that the device had suppressed.
  public internal(set) var kicksSent = 0
  public internal(set) var kicksSuppressed = 0

  var chains: [UInt16: Chain] = [:]
  /// Heads (split) or buffer identifiers (packed) in the order in which they were made available.
  var order: [UInt16] = []
  var free: [UInt16]
  var nextToken = 0
  var tables: [UInt16: UInt64] = [:]
  let tableCapacity: Int

  // Split: free-running indices. Packed: positions and wrap counters.
  var availableIndex: UInt16 = 0
  var usedIndex: UInt16 = 0
  var availableWrap = true
  var usedWrap = true
  var freeDescriptorCount: Int
  var addedSinceKick: UInt16 = 0
  var addedDescriptorsSinceKick: UInt16 = 0

  public init(ram: GuestRAM, options: Options, tableCapacity: Int = 64) throws {
    self.ram = ram
    self.options = options
    self.tableCapacity = tableCapacity
    let size = Int(options.size)
    descriptorArea = try ram.allocate(16 * size, alignment: 4096)
    switch options.layout {
    case .split:
      driverArea = try ram.allocate(6 + 2 * size, alignment: 64)
      deviceArea = try ram.allocate(6 + 8 * size, alignment: 64)
    case .packed:
      driverArea = try ram.allocate(4, alignment: 64)
      deviceArea = try ram.allocate(4, alignment: 64)
    }
    kick = try Event()
    call = try Event()
    error = try Event()
    free = (0..<options.size).map { $0 }
    freeDescriptorCount = size
  }

  public var outstandingCount: Int { chains.count }

  /// SET_VRING_BASE's number for where the ring stands, as a driver knows it (packed: both halves).
  public var base: UInt32 {
    switch options.layout {
    case .split: return UInt32(availableIndex)
    case .packed:
      let available = UInt32(availableIndex) | (availableWrap ? 0x8000 : 0)
      let used = UInt32(usedIndex) | (usedWrap ? 0x8000 : 0)
      return available | used << 16
    }
  }

  /// Makes a buffer available and tells nobody. An indirect table is used if `indirect`, by default as negotiated.
  @discardableResult
  public func add(_ elements: [Element], indirect: Bool? = nil) throws -> Int {
    let useTable = indirect ?? options.indirect
    let token = nextToken
    nextToken += 1
    switch options.layout {
    case .split: try addSplit(elements, token: token, useTable: useTable)
    case .packed: try addPacked(elements, token: token, useTable: useTable)
    }
    addedSinceKick &+= 1
    return token
  }

  /// Whether a buffer of `count` elements fits now.
  public func hasRoom(for count: Int) -> Bool {
    let needed = options.indirect ? 1 : count
    guard !free.isEmpty else { return false }
    return options.layout == .split ? free.count >= needed : freeDescriptorCount >= needed
  }

  /// Kicks the device unless it said that it does not want to be (2.7.10, 2.8.21.3.1).
  @discardableResult
  public func kickIfNeeded() -> Bool {
    test_fence()
    let isNeeded = options.layout == .split ? splitKickIsNeeded() : packedKickIsNeeded()
    addedSinceKick = 0
    addedDescriptorsSinceKick = 0
    if isNeeded {
      kicksSent += 1
      kick.signal()
    } else {
      kicksSuppressed += 1
    }
    return isNeeded
  }

  /// Takes what the device has given back so far.
  public func collectUsed() throws -> [Completion] {
    var taken: [Completion] = []
    switch options.layout {
    case .split: while let some = try takeSplit() { taken += some }
    case .packed: while let some = try takePacked() { taken += some }
    }
    return taken
  }

  /// Waits, asleep on the call descriptor, until `count` buffers came back. That they come back without an interrupt is
  /// a failure of its own.
  public func collectUsed(_ count: Int, timeout: Double = 5) throws -> [Completion] {
    let deadline = Deadline(after: timeout)
    var taken: [Completion] = []
    while true {
      setInterrupts(.always)
      taken += try collectUsed()
      if taken.count >= count { return taken }
      guard call.descriptor.wait(for: 1, until: deadline) else { break }
      call.take()
    }
    let late = try collectUsed()
    guard late.isEmpty else { throw TestFailure("\(late.count) buffers were used without an interrupt") }
    throw TestFailure("\(taken.count) of \(count) buffers came back in \(timeout) s")
  }

  public func setInterrupts(_ interrupts: Interrupts) {
    switch options.layout {
    case .split: setSplitInterrupts(interrupts)
    case .packed: setPackedInterrupts(interrupts)
    }
    test_fence()
  }

  /// The indirect table that belongs to a head or buffer identifier.
  func table(for identifier: UInt16) throws -> UInt64 {
    if let table = tables[identifier] { return table }
    let table = try ram.allocate(16 * tableCapacity, alignment: 16)
    tables[identifier] = table
    return table
  }

  /// Takes the chain `identifier` out of the outstanding ones. With in-order use everything made available before it is
  /// used too and comes first, without a length.
  func retire(_ identifier: UInt16) throws -> [Chain] {
    guard let chain = chains[identifier], let position = order.firstIndex(of: identifier) else {
      throw TestFailure("the device gave back \(identifier), which is not with it")
    }
    guard options.inOrder, position > 0 else {
      order.remove(at: position)
      chains[identifier] = nil
      return [chain]
    }
    let batch = order[0...position].compactMap { chains.removeValue(forKey: $0) }
    order.removeFirst(position + 1)
    return batch
  }

  func completions(_ batch: [Chain], length: UInt32) -> [Completion] {
    batch.enumerated().map { index, chain in
      Completion(
        token: chain.token, length: index == batch.count - 1 ? length : nil, elements: chain.elements)
    }
  }
}
