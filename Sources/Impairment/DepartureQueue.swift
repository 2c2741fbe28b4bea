// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

/// Frames by the time at which they leave; those of one time in the order in which they came. A binary heap.
public struct DepartureQueue: Sendable {
  private struct Entry {
    let time: Instant
    let order: UInt64
    let frame: Int

    func isBefore(_ other: Entry) -> Bool { (time, order) < (other.time, other.order) }
  }

  private var heap: [Entry] = []
  private var order: UInt64 = 0

  /// - Parameter capacity: for how many frames there is room from the start.
  public init(capacity: Int) {
    heap.reserveCapacity(capacity)
  }

  public var count: Int { heap.count }

  /// When the next frame leaves; nil: there is none.
  public var next: Instant? { heap.first?.time }

  /// - Parameter frame: the owner's number for it.
  public mutating func insert(_ frame: Int, at time: Instant) {
    heap.append(Entry(time: time, order: order, frame: frame))
    order &+= 1
    var place = heap.count - 1
    while place > 0, heap[place].isBefore(heap[(place - 1) / 2]) {
      heap.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  /// The next frame that leaves at `now` or before; nil: there is none.
  public mutating func remove(now: Instant) -> Int? {
    guard let first = heap.first, first.time <= now else { return nil }
    let end = heap.removeLast()
    guard !heap.isEmpty else { return first.frame }
    heap[0] = end
    var place = 0
    while let child = earlierChild(of: place), heap[child].isBefore(heap[place]) {
      heap.swapAt(place, child)
      place = child
    }
    return first.frame
  }

  private func earlierChild(of place: Int) -> Int? {
    let left = 2 * place + 1
    guard left < heap.count else { return nil }
    guard left + 1 < heap.count, heap[left + 1].isBefore(heap[left]) else { return left }
    return left + 1
  }
}
