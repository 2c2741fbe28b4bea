// SPDX-License-Identifier: Apache-2.0

/// What a hostile driver does: any value anywhere.
extension DriverQueue {
  /// A split descriptor (2.7.5) in the ring's table or in an indirect one.
  public func writeSplitDescriptor(
    _ index: UInt16, in table: UInt64? = nil, address: UInt64, length: UInt32, flags: UInt16, next: UInt16
  ) {
    let slot = (table ?? descriptorArea) + 16 * UInt64(index)
    ram.store(address, at: slot)
    ram.store(length, at: slot + 8)
    ram.store(flags, at: slot + 12)
    ram.store(next, at: slot + 14)
  }

  /// A packed descriptor (2.8.13); `flags` are written last.
  public func writePackedDescriptor(
    _ index: UInt16, in table: UInt64? = nil, address: UInt64, length: UInt32, identifier: UInt16, flags: UInt16
  ) {
    let slot = (table ?? descriptorArea) + 16 * UInt64(index)
    ram.store(address, at: slot)
    ram.store(length, at: slot + 8)
    ram.store(identifier, at: slot + 12)
    ram.storeRelease(flags, at: slot + 14)
  }

  /// avail.idx of a split ring, without anything behind it.
  public func setAvailableIndex(_ value: UInt16) {
    availableIndex = value
    ram.storeRelease(value, at: availableIndexAddress)
  }

  /// A descriptor chain as the guest pleases: (address, length, flags without AVAIL/USED, next) each, made available
  /// with the first as head, at `first` of the table. `next` and `first` mean something on split rings only.
  public func addRaw(
    _ descriptors: [(address: UInt64, length: UInt32, flags: UInt16, next: UInt16)], at first: UInt16 = 0
  ) {
    switch options.layout {
    case .split:
      for (index, one) in descriptors.enumerated() {
        writeSplitDescriptor(
          first + UInt16(index), address: one.address, length: one.length, flags: one.flags, next: one.next)
      }
      makeAvailable(head: first)
    case .packed:
      let first = availableIndex
      var firstFlags: UInt16 = 0
      for (index, one) in descriptors.enumerated() {
        let flags = one.flags | (availableWrap ? DriverQueue.flagAvailable : DriverQueue.flagUsed)
        if index == 0 { firstFlags = flags }
        writePackedDescriptor(
          availableIndex, address: one.address, length: one.length, identifier: 0,
          flags: index == 0 ? ram.load(UInt16.self, at: descriptorArea + 16 * UInt64(availableIndex) + 14) : flags)
        advanceAvailable()
      }
      ram.storeRelease(firstFlags, at: descriptorArea + 16 * UInt64(first) + 14)
      addedDescriptorsSinceKick &+= UInt16(descriptors.count)
    }
    addedSinceKick &+= 1
  }

  /// Used elements or descriptors seen since `collectUsed`, without any book-keeping: (identifier, length).
  public func rawUsed() -> [(identifier: UInt32, length: UInt32)] {
    guard options.layout == .split else {
      let slot = descriptorArea + 16 * UInt64(usedIndex)
      let flags = ram.loadAcquire(at: slot + 14)
      let isUsed = flags & DriverQueue.flagUsed != 0
      guard isUsed == usedWrap, (flags & DriverQueue.flagAvailable != 0) == isUsed else { return [] }
      return [(UInt32(ram.load(UInt16.self, at: slot + 12)), ram.load(UInt32.self, at: slot + 8))]
    }
    let count = min(ram.loadAcquire(at: usedIndexAddress) &- usedIndex, options.size)
    return (0..<count).map { offset in
      let slot = deviceArea + 4 + 8 * UInt64((usedIndex &+ offset) % options.size)
      return (ram.load(UInt32.self, at: slot), ram.load(UInt32.self, at: slot + 4))
    }
  }

  /// Passes over what `rawUsed` shows; a packed chain counts as one descriptor.
  public func skipRawUsed() {
    switch options.layout {
    case .split: usedIndex &+= UInt16(rawUsed().count)
    case .packed:
      guard !rawUsed().isEmpty else { return }
      usedIndex += 1
      guard usedIndex == options.size else { return }
      usedIndex = 0
      usedWrap.toggle()
    }
  }

  /// The used index of a split ring as the device published it: what a front-end resumes from after a crash.
  public var publishedUsedIndex: UInt16 { ram.loadAcquire(at: usedIndexAddress) }

  /// Forgets everything and starts with an empty ring, as a driver does after a reset.
  public func reset() {
    let size = Int(options.size)
    ram.write([UInt8](repeating: 0, count: 16 * size), at: descriptorArea)
    let isSplit = options.layout == .split
    ram.write([UInt8](repeating: 0, count: isSplit ? 6 + 2 * size : 4), at: driverArea)
    ram.write([UInt8](repeating: 0, count: isSplit ? 6 + 8 * size : 4), at: deviceArea)
    chains = [:]
    order = []
    free = (0..<options.size).map { $0 }
    freeDescriptorCount = size
    (availableIndex, usedIndex, addedSinceKick, addedDescriptorsSinceKick) = (0, 0, 0, 0)
    (availableWrap, usedWrap) = (true, true)
    call.take()
    error.take()
    kick.take()
  }
}
