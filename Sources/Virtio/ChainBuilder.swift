// SPDX-License-Identifier: Apache-2.0

import Memory

/// Collects the vectors of one chain, descriptor by descriptor, and remembers whether the chain kept the rules.
///
/// Descriptors arrive as values that were read once; nothing here looks at a ring.
struct ChainBuilder {
  let memory: GuestMemory
  let vectors: RecordBuffer<IOVector>
  let firstVector: Int
  /// `DescriptorFlags.write` if the queue's buffers are for the device to write, else empty.
  let expectedDirection: DescriptorFlags
  private(set) var vectorEnd: Int
  private(set) var byteCount = 0
  private(set) var isSound = true

  init(memory: GuestMemory, list: borrowing ChainList, direction: BufferDirection) {
    self.memory = memory
    vectors = list.vectors
    firstVector = list.vectorEnd
    vectorEnd = list.vectorEnd
    expectedDirection = direction == .deviceWritable ? .write : []
  }

  mutating func refuse() { isSound = false }

  /// A buffer that is not a table.
  @inline(__always)
  mutating func add(address: UInt64, length: UInt32, flags: DescriptorFlags) {
    guard flags.intersection(.write) == expectedDirection, length > 0,
      vectorEnd &- firstVector < ChainList.maximumVectorsPerChain,
      let range = memory.recent.range(at: address, count: UInt64(length))
    else { return addSlowly(address: address, length: length, flags: flags) }
    append(range)
  }

  @inline(__always)
  private mutating func append(_ range: ByteRegion) {
    vectors[vectorEnd] = IOVector(range)
    vectorEnd &+= 1
    byteCount &+= range.count
  }

  /// A buffer that lies in another region than the one before, or in several; an empty one; one that breaks the rules.
  @inline(never)
  private mutating func addSlowly(address: UInt64, length: UInt32, flags: DescriptorFlags) {
    guard flags.intersection(.write) == expectedDirection, address <= UInt64.max - UInt64(length) else {
      isSound = false
      return
    }
    var address = address
    var remaining = UInt64(length)
    while remaining > 0 {
      guard vectorEnd &- firstVector < ChainList.maximumVectorsPerChain,
        let range = memory.locate(address, remaining)
      else {
        isSound = false
        return
      }
      append(range)
      address &+= UInt64(range.count)
      remaining &-= UInt64(range.count)
    }
  }

  /// An indirect table (virtio 1.3, 2.7.5.3, 2.8.7). `length` is the value read once from the descriptor; it is not read
  /// again.
  mutating func addTable(address: UInt64, length: UInt32, format: RingFormat) {
    let entries = Int(length / 16)
    guard length % 16 == 0, entries > 0, entries <= ChainList.maximumVectorsPerChain,
      let range = memory.locate(address, UInt64(length)), range.count == Int(length)
    else {
      isSound = false
      return
    }
    switch format {
    case .split: addSplit(SharedRegion(range), entries: entries)
    case .packed: addPacked(SharedRegion(range), entries: entries)
    }
  }

  /// In a split ring's table `next` says which entry follows.
  private mutating func addSplit(_ table: SharedRegion, entries: Int) {
    var index = 0
    // At most as many steps as entries: a loop in the table ends here.
    for _ in 0..<entries {
      let address = table.load64(at: index &* 16)
      let word = table.load64(at: index &* 16 &+ 8)
      let flags = DescriptorFlags(rawValue: UInt16(truncatingIfNeeded: word >> 32))
      guard !flags.contains(.indirect) else { return refuse() }
      add(address: address, length: UInt32(truncatingIfNeeded: word), flags: flags)
      guard isSound, flags.contains(.next) else { return }
      index = Int(word >> 48)
      guard index < entries else { break }
    }
    refuse()
  }

  /// In a packed ring's table the entries follow each other.
  private mutating func addPacked(_ table: SharedRegion, entries: Int) {
    // DPDK's driver leaves entries marked as writable in what it sends, where nothing can be written.
    let ignored: DescriptorFlags = expectedDirection.isEmpty ? .write : []
    for index in 0..<entries {
      let address = table.load64(at: index &* 16)
      let word = table.load64(at: index &* 16 &+ 8)
      let flags = DescriptorFlags(rawValue: UInt16(truncatingIfNeeded: word >> 48)).subtracting(ignored)
      guard !flags.contains(.indirect) else { return refuse() }
      add(address: address, length: UInt32(truncatingIfNeeded: word), flags: flags)
      guard isSound else { return }
    }
  }

  /// Appends what was collected to the list; an unsound chain without its vectors.
  @inline(__always)
  func finish(id: UInt16, position: UInt16, slots: UInt16, into list: inout ChainList) {
    var chain = DescriptorChain()
    chain.id = id
    chain.position = position
    chain.slots = slots
    chain.isSound = isSound
    chain.firstVector = Int32(truncatingIfNeeded: firstVector)
    if isSound {
      chain.vectorCount = Int32(truncatingIfNeeded: vectorEnd &- firstVector)
      chain.byteCount = byteCount
      list.vectorEnd = vectorEnd
    }
    list.append(chain)
  }
}
