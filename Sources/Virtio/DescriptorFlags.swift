// SPDX-License-Identifier: Apache-2.0

/// Flags of a descriptor (virtio 1.3, 2.7.5 and 2.8.5).
struct DescriptorFlags: OptionSet {
  let rawValue: UInt16

  /// `VIRTQ_DESC_F_NEXT`: the chain goes on.
  static let next = DescriptorFlags(rawValue: 1 << 0)
  /// `VIRTQ_DESC_F_WRITE`: the device writes.
  static let write = DescriptorFlags(rawValue: 1 << 1)
  /// `VIRTQ_DESC_F_INDIRECT`: the buffer holds a table of descriptors.
  static let indirect = DescriptorFlags(rawValue: 1 << 2)
  /// Packed rings: `VIRTQ_DESC_F_AVAIL`, set to the driver's wrap counter.
  static let available = DescriptorFlags(rawValue: 1 << 7)
  /// Packed rings: `VIRTQ_DESC_F_USED`.
  static let used = DescriptorFlags(rawValue: 1 << 15)
}
