// SPDX-License-Identifier: Apache-2.0

import Memory

/// Buffers of one descriptor each on their way into a `ChainList`.
///
/// A value of its own, so that a loop keeps it in registers; the list has them after `append`.
struct SingleBuffers {
  private let chains: RecordBuffer<DescriptorChain>
  private let vectors: RecordBuffer<IOVector>
  private let limit: Int
  /// One past the last chain, one past the last vector, and bytes added.
  private(set) var end: Int
  private(set) var vectorEnd: Int
  private(set) var byteCount = 0

  /// For at most `limit` buffers behind what the list holds; fewer if it has no room for so many.
  init(of list: borrowing ChainList, limit: Int) {
    chains = list.chains
    vectors = list.vectors
    end = list.end
    vectorEnd = list.vectorsEnd
    let room = min(chains.capacity &- end, vectors.capacity &- ChainList.maximumVectorsPerChain &- vectorEnd &+ 1)
    self.limit = end &+ min(limit, room)
  }

  var isFull: Bool { end >= limit }

  @inline(__always)
  mutating func append(_ range: ByteRegion, id: UInt16, position: UInt16) {
    vectors[vectorEnd] = IOVector(range)
    var chain = DescriptorChain()
    chain.id = id
    chain.position = position
    chain.firstVector = Int32(truncatingIfNeeded: vectorEnd)
    chain.vectorCount = 1
    chain.byteCount = range.count
    chains[end] = chain
    vectorEnd &+= 1
    end &+= 1
    byteCount &+= range.count
  }
}
