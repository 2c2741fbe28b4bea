// SPDX-License-Identifier: Apache-2.0

/// One frame ready for an uplink: `vectorCount` I/O vectors from `firstVector` on; the first bytes are the 10-byte
/// `virtio_net_hdr` (virtio 1.3, 5.1.6, without `num_buffers`).
public struct OutgoingFrame: BitwiseCopyable, Sendable {
  public var firstVector: Int32
  public var vectorCount: Int32
  /// The length of the header and the frame together.
  public var byteCount: Int32
  /// The owner's use.
  public var index: Int32

  @inlinable
  public init(firstVector: Int32, vectorCount: Int32, byteCount: Int32, index: Int32) {
    self.firstVector = firstVector
    self.vectorCount = vectorCount
    self.byteCount = byteCount
    self.index = index
  }
}
