// SPDX-License-Identifier: Apache-2.0

import Memory

/// Room for the frames of a simulation.
public final class FrameSlots {
  static let slotBytes = 8192
  private static let count = 4096

  private let memory = ByteRegion.allocate(count: FrameSlots.slotBytes * FrameSlots.count)
  private var free: [Int32] = []

  public init() {}

  deinit {
    memory.deallocate()
  }

  func freeAll() {
    free.removeAll(keepingCapacity: true)
    free.append(contentsOf: (0..<Int32(Self.count)).reversed())
  }

  func allocate() -> Int32? { free.popLast() }

  func free(_ slot: Int32) { free.append(slot) }

  func region(_ slot: Int32, _ length: Int) -> ByteRegion {
    memory.slice(from: Int(slot) * Self.slotBytes, count: length)
  }
}
