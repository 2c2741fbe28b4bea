// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling

/// The memory of a guest that is played: a memory file, mapped here and by the back-end, given out from its beginning.
final class SharedArea {
  /// Where it lies for the guest, and as the front-end's addresses go.
  static let guestAddress: UInt64 = 0x1_0000_0000
  private static let pageSize = 4096
  private static let granularity = 2 << 20

  /// A part of it, and where the back-end finds it.
  struct Part {
    let memory: ByteRegion
    let address: UInt64
  }

  let file: OwnedDescriptor
  let size: Int
  private let memory: ByteRegion
  private var taken = 0

  /// `size` is rounded up.
  init(size wanted: Int) throws {
    size = (wanted + Self.granularity - 1) / Self.granularity * Self.granularity
    file = try SharedMemory.make(name: "bench-guest", size: size)
    memory = try SharedMemory.map(file.rawValue, size: size, offset: 0)
  }

  deinit { SharedMemory.unmap(memory) }

  /// The next `count` bytes, from a page's beginning on; all zero.
  func take(_ count: Int) throws -> Part {
    let start = taken
    guard count <= size - start else { throw BenchError("the guest's memory is too small") }
    taken += Self.rounded(count)
    return Part(
      memory: memory.slice(from: start, count: count), address: Self.guestAddress + UInt64(start))
  }

  /// Bytes that `take` uses up.
  static func rounded(_ count: Int) -> Int { (count + pageSize - 1) / pageSize * pageSize }
}
