// SPDX-License-Identifier: Apache-2.0

/// How a driver lays out one buffer.
enum ChainShape: String {
  /// One descriptor.
  case single
  /// The virtio header in a descriptor of its own, the frame in a second.
  case chained
  /// As `chained`, in an indirect table, the frame in pieces of at most a page.
  case indirect

  /// Descriptors that a chain takes in the ring.
  var slots: Int { self == .chained ? 2 : 1 }
}
