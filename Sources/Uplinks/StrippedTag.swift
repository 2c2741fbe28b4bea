// SPDX-License-Identifier: Apache-2.0

import Memory

/// A VLAN tag that the kernel took out of a frame (IEEE 802.1Q, PACKET_AUXDATA).
enum StrippedTag {
  /// TPID and TCI.
  static let size = 4
  static let ethernetHeaderSize = 14
  /// Both addresses.
  private static let addressesSize = 12

  /// `struct virtio_net_hdr` (virtio 1.3, 5.1.6).
  private static let flagsOffset = 0
  private static let gsoTypeOffset = 1
  private static let headerLengthOffset = 2
  private static let checksumStartOffset = 6
  private static let needsChecksum: UInt8 = 1

  /// Puts `tag`, TPID << 16 | TCI, between the addresses and the type of the frame that begins, header first, 4 bytes
  /// into `region`; it begins at the region's start then. What the header counts from the frame's start grows by 4.
  static func putBack(_ tag: UInt32, into region: ByteRegion) {
    let moved = SystemCalls.headerSize + addressesSize
    region.copy(from: region.slice(from: size, count: moved))
    region.storeNetworkOrder(tag, at: moved)
    if region.load(UInt8.self, at: flagsOffset) & needsChecksum != 0 { grow(region, checksumStartOffset) }
    if region.load(UInt8.self, at: gsoTypeOffset) != 0 { grow(region, headerLengthOffset) }
  }

  private static func grow(_ region: ByteRegion, _ offset: Int) {
    // A number of the kernel's that would wrap is useless either way; whoever uses it checks it against the frame.
    let value = UInt16(littleEndian: region.load(at: offset))
    region.store((value &+ UInt16(size)).littleEndian, at: offset)
  }
}
