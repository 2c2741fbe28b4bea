// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling
import Wire

/// Frames that are on the way, each behind an empty virtio header. Memory that was never needed is never touched.
final class FrameStore {
  private let memory: ByteRegion
  private let stride: Int
  private var free: [Int]
  private var lengths: [Int]

  /// - Parameter longest: octets of a frame.
  init(capacity: Int, longest: Int) throws {
    stride = (VirtioNetHeader.length + longest + 63) / 64 * 64
    let size = (capacity * stride + 4095) / 4096 * 4096
    let file = try SharedMemory.make(name: "vtcp-relay", size: size)
    memory = try SharedMemory.map(file.rawValue, size: size, offset: 0)
    free = (0..<capacity).reversed()
    lengths = Array(repeating: 0, count: capacity)
  }

  deinit { SharedMemory.unmap(memory) }

  /// A copy of a frame in two parts; nil: there is no room, or it is too long.
  func insert(_ first: ByteRegion, _ rest: ByteRegion) -> Int? {
    let length = first.count + rest.count
    guard VirtioNetHeader.length + length <= stride, let slot = free.popLast() else { return nil }
    lengths[slot] = length
    let region = frame(slot)
    region.copy(from: first)
    region.copy(from: rest, at: first.count)
    return slot
  }

  func copy(_ slot: Int) -> Int? {
    let region = frame(slot)
    return insert(region, region.suffix(from: region.count))
  }

  func remove(_ slot: Int) { free.append(slot) }

  func frame(_ slot: Int) -> ByteRegion { withHeader(slot).suffix(from: VirtioNetHeader.length) }

  func withHeader(_ slot: Int) -> ByteRegion {
    memory.slice(from: slot * stride, count: VirtioNetHeader.length + lengths[slot])
  }
}
