// SPDX-License-Identifier: Apache-2.0

/// A buffer to be given back in a packed ring (virtio 1.3, 2.8.2).
struct UsedEntry: Equatable, BitwiseCopyable {
  var id: UInt16
  /// Descriptors that the buffer took.
  var slots: UInt16
  /// Bytes that the device wrote.
  var length: UInt32
}
