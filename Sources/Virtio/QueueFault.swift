// SPDX-License-Identifier: Apache-2.0

/// Why a virtqueue can't go on: the driver broke the ring itself, so that what is available can no longer be known.
///
/// The queue stops and its error eventfd is signalled; a driver reset brings it back.
public enum QueueFault: UInt8, Error, Equatable, Sendable {
  /// The available index ran ahead by more than the queue's size (virtio 1.3, 2.7.13.3.1).
  case availableIndexJump
  /// A head in the available ring is not a descriptor's index.
  case headOutOfRange
  /// A packed chain does not end within the ring.
  case endlessChain
}
