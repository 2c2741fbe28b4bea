// SPDX-License-Identifier: Apache-2.0

import Memory
import Packets

/// A frame that has passed the TCP accelerator, which shall not see it twice, and that the uplink has no room for: copied
/// whole, virtio header first, so that its chain can go back.
final class WaitingFrame {
  private let region = ByteRegion.allocate(count: FrameLimits.staging)
  private(set) var byteCount = 0

  deinit { region.deallocate() }

  var isEmpty: Bool { byteCount == 0 }
  /// The virtio header and the frame.
  var bytes: ByteRegion { region.slice(from: 0, count: byteCount) }

  /// Copies `count` bytes that lie in the vectors `first ..< end`.
  func keep(_ vectors: RecordBuffer<IOVector>, first: Int, end: Int, count: Int) {
    var cursor = VectorCursor(vectors, first: first, end: end)
    byteCount = cursor.read(into: region.slice(from: 0, count: min(count, region.count)))
  }

  func clear() { byteCount = 0 }
}
