// SPDX-License-Identifier: Apache-2.0

/// How a driver lays out one buffer.
enum ChainShape: String {
  /// One descriptor.
  case single
  /// The virtio header in a descriptor of its own, the frame in a second.
  case chained
  /// As `chained`, in an indirect table.
  case indirect

  /// Descriptors that a chain takes in the ring.
  var slots: Int { self == .chained ? 2 : 1 }
}
