// SPDX-License-Identifier: Apache-2.0

import Uplinks
import Virtio
import Wire

/// What the negotiated features say about how the guest takes frames.
struct GuestAbilities: Equatable {
  /// 12 bytes with `num_buffers`, 10 for a legacy driver that does not merge buffers.
  var headerLength = VirtioNetHeader.lengthWithBufferCount
  var mergesBuffers = false
  var offloads: ReceiveOffloads = []

  init() {}

  init(_ features: VirtioFeatures) {
    mergesBuffers = features.contains(.mergeableReceiveBuffers)
    let hasBufferCount = mergesBuffers || features.contains(.version1)
    headerLength = hasBufferCount ? VirtioNetHeader.lengthWithBufferCount : VirtioNetHeader.length
    // Segmentation without checksums makes no sense and is not offered by drivers (virtio 1.3, 5.1.3.1).
    guard features.contains(.guestChecksum) else { return }
    offloads = .checksum
    if features.contains(.guestTSO4) { offloads.insert(.tso4) }
    if features.contains(.guestTSO6) { offloads.insert(.tso6) }
    if features.contains(.guestECN) { offloads.insert(.ecn) }
    if features.contains(.guestUSO4) { offloads.insert(.uso4) }
    if features.contains(.guestUSO6) { offloads.insert(.uso6) }
  }

  /// The smallest buffer that is of use. With merging it needs to hold the header only (virtio 1.3, 5.1.6.3.1).
  var smallestBuffer: Int { headerLength + (mergesBuffers ? 0 : FrameLimits.minimumFrame) }

  /// Whether frames larger than the link's may come.
  var takesLargeFrames: Bool { !offloads.isDisjoint(with: [.tso4, .tso6, .uso4, .uso6]) }
}
