// SPDX-License-Identifier: Apache-2.0

extension DriverQueue {
  /// Descriptor flags, 2.7.5 and 2.8.1.
  public static let flagNext: UInt16 = 1
  public static let flagWrite: UInt16 = 2
  public static let flagIndirect: UInt16 = 4
  public static let flagAvailable: UInt16 = 1 << 7
  public static let flagUsed: UInt16 = 1 << 15

  var availableFlagsAddress: UInt64 { driverArea }
  var availableIndexAddress: UInt64 { driverArea + 2 }
  var usedEventAddress: UInt64 { driverArea + 4 + 2 * UInt64(options.size) }
  var usedFlagsAddress: UInt64 { deviceArea }
  var usedIndexAddress: UInt64 { deviceArea + 2 }
  var availableEventAddress: UInt64 { deviceArea + 4 + 8 * UInt64(options.size) }

  func addSplit(_ elements: [Element], token: Int, useTable: Bool) throws {
    let needed = useTable ? 1 : elements.count
    guard needed > 0, needed <= free.count, elements.count <= max(tableCapacity, free.count) else {
      throw TestFailure("no \(needed) free descriptors")
    }
    // In-order use demands descriptors in the table's order (2.7.9); else the table is to look well used.
    let taken = options.inOrder ? Array(free.prefix(needed)) : free.suffix(needed).reversed()
    if options.inOrder { free.removeFirst(needed) } else { free.removeLast(needed) }
    if useTable {
      let table = try table(for: taken[0])
      writeSplitChain(elements, at: (0..<UInt16(elements.count)).map { $0 }, in: table)
      writeSplitDescriptor(
        taken[0], in: descriptorArea, address: table, length: UInt32(16 * elements.count),
        flags: DriverQueue.flagIndirect, next: 0)
    } else {
      writeSplitChain(elements, at: taken, in: descriptorArea)
    }
    chains[taken[0]] = Chain(identifier: taken[0], token: token, elements: elements, descriptors: taken)
    order.append(taken[0])
    makeAvailable(head: taken[0])
  }

  private func writeSplitChain(_ elements: [Element], at slots: [UInt16], in table: UInt64) {
    for (index, element) in elements.enumerated() {
      let isLast = index == elements.count - 1
      let flags = (isLast ? 0 : DriverQueue.flagNext) | (element.isWritable ? DriverQueue.flagWrite : 0)
      writeSplitDescriptor(
        slots[index], in: table, address: element.address, length: element.length, flags: flags,
        next: isLast ? 0 : slots[index + 1])
    }
  }

  /// Puts `head` into the next slot of the available ring and publishes it.
  public func makeAvailable(head: UInt16) {
    ram.store(head, at: driverArea + 4 + 2 * UInt64(availableIndex % options.size))
    availableIndex &+= 1
    ram.storeRelease(availableIndex, at: availableIndexAddress)
  }

  func splitKickIsNeeded() -> Bool {
    guard options.eventIndex else { return ram.loadAcquire(at: usedFlagsAddress) & 1 == 0 }
    let event = ram.loadAcquire(at: availableEventAddress)
    return availableIndex &- event &- 1 < addedSinceKick
  }

  func takeSplit() throws -> [Completion]? {
    let published = ram.loadAcquire(at: usedIndexAddress)
    guard published != usedIndex else { return nil }
    let slot = deviceArea + 4 + 8 * UInt64(usedIndex % options.size)
    let identifier = ram.load(UInt32.self, at: slot)
    let length = ram.load(UInt32.self, at: slot + 4)
    guard identifier < UInt32(options.size) else { throw TestFailure("used id \(identifier) of \(options.size)") }
    let batch = try retire(UInt16(identifier))
    guard batch.count <= Int(published &- usedIndex) else { throw TestFailure("used index behind its batch") }
    usedIndex &+= UInt16(batch.count)
    for chain in batch { free += options.inOrder ? chain.descriptors : chain.descriptors.reversed() }
    return completions(batch, length: length)
  }

  func setSplitInterrupts(_ interrupts: Interrupts) {
    switch interrupts {
    case .always where options.eventIndex: ram.storeRelease(usedIndex, at: usedEventAddress)
    case .never where options.eventIndex: ram.storeRelease(usedIndex &- 1, at: usedEventAddress)
    case .after(let count): ram.storeRelease(usedIndex &+ count &- 1, at: usedEventAddress)
    case .always: ram.storeRelease(0, at: availableFlagsAddress)
    case .never: ram.storeRelease(1, at: availableFlagsAddress)
    }
  }
}
