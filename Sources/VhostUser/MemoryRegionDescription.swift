// SPDX-License-Identifier: Apache-2.0

import Memory

/// One memory region as the front-end describes it ("Memory region description").
struct MemoryRegionDescription: Equatable, Sendable {
  static let byteCount = 32

  let guestAddress: UInt64
  let size: UInt64
  let userAddress: UInt64
  /// Where the region starts in its file.
  let fileOffset: UInt64

  /// Whether the two are one region for the guest and the front-end; where its file starts does not matter.
  func isSameRegion(as other: MemoryRegionDescription) -> Bool {
    guestAddress == other.guestAddress && size == other.size && userAddress == other.userAddress
  }

  init(decoding bytes: ByteRegion, at offset: Int) {
    guestAddress = bytes.load(at: offset)
    size = bytes.load(at: offset + 8)
    userAddress = bytes.load(at: offset + 16)
    fileOffset = bytes.load(at: offset + 24)
  }

  func encode(into bytes: ByteRegion, at offset: Int) {
    bytes.store(guestAddress, at: offset)
    bytes.store(size, at: offset + 8)
    bytes.store(userAddress, at: offset + 16)
    bytes.store(fileOffset, at: offset + 24)
  }
}
