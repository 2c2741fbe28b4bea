// SPDX-License-Identifier: Apache-2.0

public import Memory

/// A first-in, first-out list of popped chains and their I/O vectors, in memory made once.
///
/// A virtqueue appends at the end; the datapath takes from the front. Both records lie in order without gaps, so that
/// the vectors of consecutive chains are one scatter list.
public struct ChainList: Sendable {
  /// The most I/O vectors that one chain may have: the kernel takes 1024 (`UIO_MAXIOV`) and headers need a few.
  public static let maximumVectorsPerChain = 1000

  public let chains: RecordBuffer<DescriptorChain>
  public let vectors: RecordBuffer<IOVector>
  /// Index of the first chain, and one past the last.
  public private(set) var first = 0
  public private(set) var end = 0
  /// One past the last vector in use.
  var vectorEnd = 0
  /// Bytes in all chains in the list.
  public private(set) var byteCount = 0

  /// A list that holds nothing: of a queue that does not run.
  public init() {
    chains = RecordBuffer(capacity: 0, repeating: DescriptorChain())
    vectors = RecordBuffer(capacity: 0, repeating: .none)
  }

  public init(chains chainCapacity: Int, vectors vectorCapacity: Int) {
    chains = RecordBuffer(capacity: chainCapacity, repeating: DescriptorChain())
    vectors = RecordBuffer(
      capacity: max(vectorCapacity, 2 * Self.maximumVectorsPerChain), repeating: .none)
  }

  public func deallocate() {
    chains.deallocate()
    vectors.deallocate()
  }

  public var count: Int { end &- first }
  public var isEmpty: Bool { first == end }

  /// Index of the first chain's first vector; the vectors run from here to `vectorsEnd`.
  public var firstVector: Int { isEmpty ? vectorEnd : Int(chains[first].firstVector) }
  public var vectorsEnd: Int { vectorEnd }

  /// Makes room at the end by moving what is in the list to the start. Called when a pop finds too little room.
  mutating func compact() {
    let firstVector = self.firstVector
    let chainCount = count
    guard first > 0 || firstVector > 0 else { return }
    vectors.move(from: firstVector, to: 0, count: vectorEnd - firstVector)
    chains.move(from: first, to: 0, count: chainCount)
    for index in 0..<chainCount { chains[index].firstVector -= Int32(truncatingIfNeeded: firstVector) }
    vectorEnd -= firstVector
    first = 0
    end = chainCount
  }

  /// Not one more chain of any length can be taken.
  public var isFull: Bool {
    count >= chains.capacity || vectorEnd &- firstVector &+ Self.maximumVectorsPerChain > vectors.capacity
  }

  var hasRoomForChain: Bool {
    end < chains.capacity && vectorEnd &+ Self.maximumVectorsPerChain <= vectors.capacity
  }

  @inline(__always)
  mutating func append(_ chain: DescriptorChain) {
    chains[end] = chain
    end &+= 1
    byteCount &+= chain.byteCount
  }

  @inline(__always)
  mutating func append(_ singles: SingleBuffers) {
    end = singles.end
    vectorEnd = singles.vectorEnd
    byteCount &+= singles.byteCount
  }

  /// Takes `count` chains from the front, which hold `bytes` bytes.
  mutating func removeFirst(_ count: Int, holding bytes: Int) {
    precondition(count >= 0 && count <= self.count, "out of bounds")
    byteCount &-= bytes
    first &+= count
    if first == end { removeAll() }
  }

  public mutating func removeAll() {
    first = 0
    end = 0
    vectorEnd = 0
    byteCount = 0
  }
}
