// SPDX-License-Identifier: Apache-2.0

public import CLinux

/// A fixed number of trivial records at one place in memory: no reference counting, no growth, indices checked.
///
/// What the packet path uses instead of `Array`. Made once at start; the maker calls `deallocate`.
public struct RecordBuffer<Record: BitwiseCopyable>: @unchecked Sendable {
  public let base: UnsafeMutablePointer<Record>
  public let capacity: Int

  public init(capacity: Int, repeating record: Record) {
    self.capacity = capacity
    base = .allocate(capacity: max(capacity, 1))
    base.initialize(repeating: record, count: capacity)
  }

  /// Records laid over memory that someone else owns, aligned for `Record`.
  public init(over region: ByteRegion) {
    capacity = region.count / MemoryLayout<Record>.stride
    base = region.base.bindMemory(to: Record.self, capacity: capacity)
  }

  public func deallocate() {
    base.deallocate()
  }

  @inlinable
  public subscript(index: Int) -> Record {
    get {
      precondition(index >= 0 && index < capacity, "out of bounds")
      return base[index]
    }
    nonmutating set {
      precondition(index >= 0 && index < capacity, "out of bounds")
      base[index] = newValue
    }
    nonmutating _modify {
      precondition(index >= 0 && index < capacity, "out of bounds")
      yield &base[index]
    }
  }

  /// Asks the processor for a record that is wanted soon. Any index may be given; one out of range asks for nothing.
  @inlinable
  public func prefetch(_ index: Int) {
    guard index >= 0 && index < capacity else { return }
    vtcp_prefetch(base + index)
  }

  /// Moves `count` records from `source` on to `destination` on; the ranges may overlap.
  @inlinable
  public func move(from source: Int, to destination: Int, count: Int) {
    precondition(source >= 0 && destination >= 0 && count >= 0, "out of bounds")
    precondition(source + count <= capacity && destination + count <= capacity, "out of bounds")
    (base + destination).update(from: base + source, count: count)
  }
}
