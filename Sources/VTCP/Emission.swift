// SPDX-License-Identifier: Apache-2.0

/// A frame of the module's own: headers in the caller's memory, then payload in the arena.
public struct Emission: BitwiseCopyable, Sendable {
  /// Bytes of headers that were written to `head`.
  public let headerLength: Int
  /// The payload's vectors: from the caller's first one up to, not including, this.
  public let vectorsEnd: Int
  /// Bytes of payload.
  public let payloadCount: Int
  /// Where the checksum starts, for the virtio header: it is partial always.
  public let checksumStart: Int
  /// Bytes of payload of a segment, if it is to be cut; else 0.
  public let segmentSize: Int
  /// It is to be cut, and is IPv6.
  public let isIPv6: Bool
}
