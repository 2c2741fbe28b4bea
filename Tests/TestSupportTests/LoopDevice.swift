// SPDX-License-Identifier: Apache-2.0
import TestSupport

/// A trivial device for the driver's self-check: copies what the driver wrote to the buffers that it may write.
///
/// It reads the rings by itself, with plain arithmetic, so that the driver is held against a second reading of the
/// specification.
struct LoopDevice {
  let queue: DriverQueue
  var ram: GuestRAM { queue.ram }
  var position = 0
  var wrap = true
  var usedPosition = 0
  var usedWrap = true

  init(_ queue: DriverQueue) {
    self.queue = queue
  }

  typealias Element = (address: UInt64, length: Int, flags: UInt16)

  private func packedElement(_ slot: UInt64) -> Element {
    (ram.load(UInt64.self, at: slot), Int(ram.load(UInt32.self, at: slot + 8)), ram.load(UInt16.self, at: slot + 14))
  }

  /// All of a chain's elements, tables resolved, the identifier to give back and the descriptors taken from the ring.
  private func splitChain(_ head: UInt16) -> [Element] {
    var found: [Element] = []
    var table = queue.descriptorArea
    var index = UInt64(head)
    while true {
      let slot = table + 16 * index
      let flags = ram.load(UInt16.self, at: slot + 12)
      let address = ram.load(UInt64.self, at: slot)
      if flags & 4 != 0 {
        table = address
        index = 0
        continue
      }
      found.append((address, Int(ram.load(UInt32.self, at: slot + 8)), flags))
      guard flags & 1 != 0 else { return found }
      index = UInt64(ram.load(UInt16.self, at: slot + 14))
    }
  }

  /// Copies readable to writable elements; the number of octets written.
  private func copy(_ elements: [Element]) -> UInt32 {
    let data = elements.filter { $0.flags & 2 == 0 }.flatMap { ram.read(at: $0.address, count: $0.length) }
    var rest = data[...]
    for element in elements where element.flags & 2 != 0 {
      ram.write(Array(rest.prefix(element.length)), at: element.address)
      rest = rest.dropFirst(element.length)
    }
    return UInt32(data.count - rest.count)
  }

  /// Handles everything available; returns the number of buffers. `suppressing` leaves the used event flags alone.
  mutating func run() -> Int {
    queue.options.layout == .split ? runSplit() : runPacked()
  }

  private mutating func runSplit() -> Int {
    var count = 0
    let size = Int(queue.options.size)
    while position & 0xffff != Int(ram.loadAcquire(at: queue.driverArea + 2)) {
      let head = ram.load(UInt16.self, at: queue.driverArea + 4 + 2 * UInt64(position % size))
      let length = copy(splitChain(head))
      let slot = queue.deviceArea + 4 + 8 * UInt64(position % size)
      ram.store(UInt32(head), at: slot)
      ram.store(length, at: slot + 4)
      position = (position + 1) & 0xffff
      ram.storeRelease(UInt16(position), at: queue.deviceArea + 2)
      count += 1
    }
    if queue.options.eventIndex { ram.storeRelease(UInt16(position), at: queue.deviceArea + 4 + 8 * UInt64(size)) }
    return count
  }

  private mutating func runPacked() -> Int {
    var count = 0
    let size = Int(queue.options.size)
    while true {
      var slot = queue.descriptorArea + 16 * UInt64(position)
      let flags = ram.loadAcquire(at: slot + 14)
      guard (flags & 0x80 != 0) == wrap, (flags & 0x8000 != 0) != wrap else { return count }
      var elements: [Element] = []
      var taken = 0
      var identifier: UInt16 = 0
      while true {
        slot = queue.descriptorArea + 16 * UInt64(position)
        let element = packedElement(slot)
        identifier = ram.load(UInt16.self, at: slot + 12)
        if element.flags & 4 != 0 {
          elements += (0..<UInt64(element.length / 16)).map { packedElement(element.address + 16 * $0) }
        } else {
          elements.append(element)
        }
        taken += 1
        position += 1
        if position == size { (position, wrap) = (0, !wrap) }
        guard element.flags & 1 != 0 else { break }
      }
      let length = copy(elements)
      let used = queue.descriptorArea + 16 * UInt64(usedPosition)
      ram.store(length, at: used + 8)
      ram.store(identifier, at: used + 12)
      ram.storeRelease(usedWrap ? 0x8080 : 0, at: used + 14)
      usedPosition += taken
      if usedPosition >= size { (usedPosition, usedWrap) = (usedPosition - size, !usedWrap) }
      count += 1
    }
  }
}
