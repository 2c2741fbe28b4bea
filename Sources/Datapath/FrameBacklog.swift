// SPDX-License-Identifier: Apache-2.0

import Memory
import Packets

/// Frames that have passed the TCP accelerator, which shall not see them twice, and that the guest has no buffers for, or the uplink no
/// room: whole, virtio header first, in their order.
final class FrameBacklog {
  private static let prefix = MemoryLayout<Int>.size

  private let region: ByteRegion
  /// Of the first frame that is left, and behind the last.
  private var begin = 0
  private var end = 0

  /// - Parameter largestFrames: how many of the largest frames have room; of an Ethernet link's it is some twenty times as many. 0: none.
  init(largestFrames: Int) { region = .allocate(count: largestFrames * (Self.prefix + FrameLimits.staging)) }

  deinit { region.deallocate() }

  /// Whether an empty one has room for one more of the largest, behind so many frames of so many bytes in all.
  func hasRoom(behind count: Int, of bytes: Int) -> Bool {
    (count &+ 1) &* Self.prefix &+ bytes &+ FrameLimits.staging <= region.count
  }

  /// The first frame that is left; it stays.
  var first: ByteRegion? {
    guard begin < end else { return nil }
    return region.slice(from: begin &+ Self.prefix, count: region.load(Int.self, at: begin))
  }

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
    guard let frame = first else {
      clear()
      return nil
    }
    begin &+= Self.prefix &+ frame.count
    return frame
  }

  func clear() {
    begin = 0
    end = 0
  }
}
