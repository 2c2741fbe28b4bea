// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling
import Virtio

/// The requests about guest memory.
extension BackEnd {
  /// `VHOST_USER_MEMORY_BASELINE_NREGIONS`
  private static let maximumTable = 8

  /// Replaces all memory, or nothing if one region can't be had.
  func setMemoryTable(_ message: Message) throws(RequestError) {
    guard message.payload.count >= 8 else { throw .malformedPayload }
    let count = Int(message.payload.load(UInt32.self, at: 0))
    guard (1...Self.maximumTable).contains(count),
      message.payload.count >= 8 + count * MemoryRegionDescription.byteCount
    else { throw .malformedPayload }
    guard message.descriptors.count == count else { throw .missingDescriptor }
    var table: [MappedRegion] = []
    for (index, file) in message.descriptors.enumerated() {
      let description = MemoryRegionDescription(
        decoding: message.payload, at: 8 + index * MemoryRegionDescription.byteCount)
      let region = try MappedRegion(description, file: file)
      guard !table.contains(where: { $0.region.overlaps(region.region) }) else {
        throw .refused("two regions of the table overlap")
      }
      table.append(region)
    }
    replaceMemory(by: table)
  }

  /// `table`: no two regions overlap, and they are not too many.
  func replaceMemory(by table: [MappedRegion]) {
    change {
      memory.removeAll()
      for region in table { memory.add(region.region) }
      mappings = table
    }
  }

  /// QEMU 7.2 says each change once for every queue pair: a region that is there already is no mistake, nor is, below,
  /// one that has gone.
  func addMemoryRegion(_ message: Message) throws(RequestError) {
    try require(.configureMemSlots)
    let description = try regionDescription(message)
    guard index(of: description) == nil else { return }
    guard let file = message.descriptors.first else { throw .missingDescriptor }
    let region = try MappedRegion(description, file: file)
    guard memory.canAdd(region.region) else {
      throw .refused("the region overlaps another one or no memory slot is left")
    }
    change {
      memory.add(region.region)
      mappings.append(region)
    }
  }

  func removeMemoryRegion(_ message: Message) throws(RequestError) {
    try require(.configureMemSlots)
    let description = try regionDescription(message)
    guard let found = index(of: description) else {
      guard removed.contains(where: { $0.isSameRegion(as: description) }) else {
        throw .refused("there is no such memory region")
      }
      return
    }
    if removed.count == GuestMemory.maximumRegions { removed.removeFirst() }
    removed.append(description)
    change {
      memory.remove(at: found)
      mappings.remove(at: found)
    }
  }

  private func index(of description: MemoryRegionDescription) -> Int? {
    mappings.firstIndex { $0.description.isSameRegion(as: description) }
  }

  private func regionDescription(_ message: Message) throws(RequestError) -> MemoryRegionDescription {
    guard message.payload.count == 8 + MemoryRegionDescription.byteCount else { throw .malformedPayload }
    return MemoryRegionDescription(decoding: message.payload, at: 8)
  }

  /// Changes the table while nothing holds an address, and finds the running vrings' areas anew.
  /// `mappings` and the table of `memory` keep the same order.
  private func change(_ table: () -> Void) {
    device.memoryWillChange()
    // Old mappings live on until the vrings have moved.
    let previous = mappings
    table()
    for index in vrings.indices where vrings[index].isRunning {
      do throws(RequestError) {
        device.move(vring: index, to: try setup(of: index))
      } catch {
        log.warning("vring \(index) stops, its memory was taken away: \(error)")
        hasStopped(index)
        device.abandon(vring: index)
      }
    }
    keepFiles()
    withExtendedLifetime(previous) {}
  }

  /// Each file once, whatever the number of regions in it: some managers keep one descriptor of a file only.
  private func keepFiles() {
    guard let keeper else { return }
    let files = Set(mappings.map(\.identity))
    for (file, slot) in memorySlots where !files.contains(file) {
      memorySlots[file] = nil
      keeper.keep(nil, as: SessionName.memory(slot))
    }
    var used = Set(memorySlots.values)
    var next = 0
    for mapping in mappings where memorySlots[mapping.identity] == nil || isResuming {
      while used.contains(next) { next += 1 }
      let slot = memorySlots[mapping.identity] ?? next
      used.insert(slot)
      memorySlots[mapping.identity] = slot
      keeper.keep(mapping.descriptor, as: SessionName.memory(slot))
    }
  }
}
