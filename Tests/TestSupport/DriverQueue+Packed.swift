// SPDX-License-Identifier: Apache-2.0

extension DriverQueue {
  func addPacked(_ elements: [Element], token: Int, useTable: Bool) throws {
    let needed = useTable ? 1 : elements.count
    guard needed > 0, needed <= freeDescriptorCount, !free.isEmpty, elements.count <= max(tableCapacity, needed) else {
      throw TestFailure("no \(needed) free descriptors")
    }
    let identifier = options.inOrder ? free.removeFirst() : free.removeLast()
    var written = elements
    if useTable {
      let table = try table(for: identifier)
      for (index, element) in elements.enumerated() {
        // In a table the identifier, and all flags but WRITE, are reserved (2.8.7).
        writePackedDescriptor(
          UInt16(index), in: table, address: element.address, length: element.length, identifier: 0,
          flags: element.isWritable ? DriverQueue.flagWrite : 0)
      }
      written = [Element(address: table, length: UInt32(16 * elements.count), isWritable: false)]
    }
    var slots: [UInt16] = []
    let first = (index: availableIndex, wrap: availableWrap)
    var firstFlags: UInt16 = 0
    for (index, element) in written.enumerated() {
      var flags = availableWrap ? DriverQueue.flagAvailable : DriverQueue.flagUsed
      if element.isWritable { flags |= DriverQueue.flagWrite }
      if useTable { flags |= DriverQueue.flagIndirect }
      let isLast = index == written.count - 1
      if !isLast { flags |= DriverQueue.flagNext }
      // The identifier counts in the last descriptor of the chain only (2.8.6).
      let slot = descriptorArea + 16 * UInt64(availableIndex)
      ram.store(element.address, at: slot)
      ram.store(element.length, at: slot + 8)
      ram.store(isLast ? identifier : 0xdead, at: slot + 12)
      if index == 0 { firstFlags = flags } else { ram.store(flags, at: slot + 14) }
      slots.append(availableIndex)
      advanceAvailable()
    }
    chains[identifier] = Chain(identifier: identifier, token: token, elements: elements, descriptors: slots)
    order.append(identifier)
    freeDescriptorCount -= needed
    addedDescriptorsSinceKick &+= UInt16(needed)
    ram.storeRelease(firstFlags, at: descriptorArea + 16 * UInt64(first.index) + 14)
  }

  /// The ring position one further, with the wrap counter (2.8.1).
  func advanceAvailable() {
    availableIndex += 1
    guard availableIndex == options.size else { return }
    availableIndex = 0
    availableWrap.toggle()
  }

  func packedKickIsNeeded() -> Bool {
    let flags = ram.loadAcquire(at: deviceArea + 2)
    guard flags & 3 == 2, options.eventIndex else { return flags & 3 == 0 }
    let offWrap = ram.load(UInt16.self, at: deviceArea)
    var event = Int(offWrap & 0x7fff)
    if (offWrap & 0x8000 != 0) != availableWrap { event -= Int(options.size) }
    let new = Int(availableIndex)
    return event < new && event >= new - Int(addedDescriptorsSinceKick)
  }

  func takePacked() throws -> [Completion]? {
    let slot = descriptorArea + 16 * UInt64(usedIndex)
    let flags = ram.loadAcquire(at: slot + 14)
    let isAvailable = flags & DriverQueue.flagAvailable != 0
    let isUsed = flags & DriverQueue.flagUsed != 0
    guard isAvailable == isUsed, isUsed == usedWrap, !chains.isEmpty else { return nil }
    let length = ram.load(UInt32.self, at: slot + 8)
    let identifier = ram.load(UInt16.self, at: slot + 12)
    let batch = try retire(identifier)
    for chain in batch {
      usedIndex += UInt16(chain.descriptors.count)
      if usedIndex >= options.size {
        usedIndex -= options.size
        usedWrap.toggle()
      }
      freeDescriptorCount += chain.descriptors.count
      free.append(chain.identifier)
    }
    return completions(batch, length: length)
  }

  func setPackedInterrupts(_ interrupts: Interrupts) {
    switch interrupts {
    case .always: ram.storeRelease(0, at: driverArea + 2)
    case .never: ram.storeRelease(1, at: driverArea + 2)
    case .after(let count):
      var index = usedIndex + count - 1
      var wrap = usedWrap
      if index >= options.size {
        index -= options.size
        wrap.toggle()
      }
      ram.storeRelease(index | (wrap ? 0x8000 : 0), at: driverArea)
      ram.storeRelease(2, at: driverArea + 2)
    }
  }
}
