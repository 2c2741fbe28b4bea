// SPDX-License-Identifier: Apache-2.0

/// The two layouts of a virtqueue (virtio 1.3, 2.7 and 2.8).
public enum RingFormat: UInt8, Sendable {
  case split
  case packed
}
