// SPDX-License-Identifier: Apache-2.0

/// Types of blocks, and what stands in them at fixed places (draft-ietf-opsawg-pcapng §4).
enum PcapngBlock {
  static let sectionHeader: UInt32 = 0x0a0d_0d0a
  static let interfaceDescription: UInt32 = 1
  static let interfaceStatistics: UInt32 = 5
  static let enhancedPacket: UInt32 = 6

  static let byteOrderMagic: UInt32 = 0x1a2b_3c4d
  static let majorVersion: UInt16 = 1
  /// "The section's length is not given."
  static let unknownLength = UInt64.max
  /// LINKTYPE_ETHERNET.
  static let ethernet: UInt16 = 1
  /// Type and length before the body, and the length again behind it.
  static let framing = 12
  /// Of an enhanced packet block: interface, time, both lengths.
  static let packetFields = 20

  /// With what is filled up: a multiple of four.
  static func padded(_ count: Int) -> Int { (count &+ 3) & ~3 }
}
