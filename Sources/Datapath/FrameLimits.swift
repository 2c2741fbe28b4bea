// SPDX-License-Identifier: Apache-2.0

import Wire

/// How large what passes may be. Bytes.
enum FrameLimits {
  /// The largest frame: an IP packet of 65,535 bytes and its header with a few VLAN tags, rounded up.
  static let maximumFrame = 65_535 + 256
  /// With the virtio header of an uplink before it.
  static let staging = VirtioNetHeader.length + maximumFrame
  /// The largest frame of a guest's that is to be segmented: what Linux makes at the most (GSO_MAX_SIZE, 8 packets of 65,535 bytes),
  /// and headers.
  static let largestRequest = 524_280 + 256
  /// The first bytes of a frame that are copied and looked at.
  static let inspected = FrameLayout.recommendedHeaderBytes
  static let minimumFrame = FrameLayout.ethernetHeaderLength
  /// The largest small frame: one that costs less to copy than to find room for the largest, and no bulk transfer's.
  static let small = 2048
  /// The most payload of a frame of the accelerator's: with any headers an IP packet holds it.
  static let largestSend = 65_535 - 128
}
