// SPDX-License-Identifier: Apache-2.0

/// What `SegmentTemplate.write` has written, in the terms of a virtio-net header (virtio 1.3 §5.1.6).
public struct WrittenHeader: BitwiseCopyable, Equatable, Sendable {
  /// Bytes from the start of the frame: Ethernet, IP and TCP header. The payload follows.
  public let length: Int
  /// `csum_start`: where the TCP header starts. `csum_offset` is `TCPField.checksum`.
  public let checksumStart: Int
}
