// SPDX-License-Identifier: Apache-2.0

import Memory
import Packets

/// Frames that have passed the TCP accelerator, which shall not see them twice, and that the guest has no buffers for: whole, virtio
/// header first, in their order.
final class FrameBacklog {
  /// Bytes. Four of the largest frames, or a hundred of an Ethernet link's.
  private static let capacity = 4 * FrameLimits.staging
  private static let prefix = MemoryLayout<Int>.size

  private let region: ByteRegion
  /// Of the first frame that is left, and behind the last.
  private var begin = 0
  private var end = 0

  /// Of one that is not used there never is room.
  init(isUsed: Bool) { region = .allocate(count: isUsed ? Self.capacity : 0) }

  deinit { region.deallocate() }

  /// Where the next frame is to be put, which then is kept or not; nil if the largest would find no room.
  var room: ByteRegion? {
    let start = end &+ Self.prefix
    guard start &+ FrameLimits.staging <= region.count else { return nil }
    return region.slice(from: start, count: FrameLimits.staging)
  }

  /// The frame of so many bytes in `room` stays.
  func keep(_ byteCount: Int) {
    region.store(byteCount, at: end)
    end &+= Self.prefix &+ byteCount
  }

  /// Takes the first frame out. It stays as it is until this is called again.
  func next() -> ByteRegion? {
    guard begin < end else {
      clear()
      return nil
    }
    let frame = region.slice(from: begin &+ Self.prefix, count: region.load(Int.self, at: begin))
    begin &+= Self.prefix &+ frame.count
    return frame
  }

  func clear() {
    begin = 0
    end = 0
  }
}
