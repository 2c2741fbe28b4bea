// SPDX-License-Identifier: Apache-2.0

/// What is counted per virtqueue; the raw value is the counter's place in the queue's statistics record (8 bytes each).
///
/// Frames and bytes are of Ethernet, as they pass the uplink, without the virtio header. New ones go to the end.
public enum QueueCounter: Int, CaseIterable, Sendable {
  /// Frames that passed.
  case frames
  /// Their bytes.
  case bytes
  /// Of them, frames larger than the link's packets (a request for segmentation came with them).
  case segmentationOffloads
  /// Of them, frames with a partial checksum.
  case checksumOffloads
  /// Frames made in software from one that the taker can't take whole, or whose checksum it can't complete.
  case softwareSegments
  case softwareChecksums
  /// Batches of used buffers made visible.
  case batches
  /// Notifications sent to the driver.
  case notifications
  /// Kicks received from the driver.
  case kicks
  /// Times that the path had to wait: for receive buffers, or for the uplink to take more.
  case waits
  /// Chains given back unused because their descriptors break the rules.
  case unsoundChains
  /// Frames dropped: shorter than a header, or longer than any frame.
  case badLength
  /// Frames dropped: what their virtio header asks for does not fit them.
  case badOffload
  /// Frames dropped: sent from another MAC address than the NIC's own.
  case spoofed
  /// Frames dropped: addressed to another station.
  case foreign
  /// Frames dropped: larger than all the guest's buffers.
  case tooLarge
  /// Frames dropped: the queue was running but disabled.
  case disabled
  /// Times that the driver broke the ring, so that the queue stopped.
  case faults
  /// Frames that were larger than the uplink takes in one piece, and the frames that were made of them, which count as `frames`.
  case splitFrames
  case splitPieces
  /// Frames dropped: they were as large and can't be split.
  case splitRefused
  /// Frames that went no further: the guest's module said by them what it knows of large sends.
  case firstSizeMessages
}
