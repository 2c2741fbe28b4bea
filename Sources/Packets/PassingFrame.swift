// SPDX-License-Identifier: Apache-2.0

public import Memory

/// An Ethernet frame on its way through: its first bytes in private memory, where they may be patched, the rest where it
/// lies, and what its virtio header said of it (virtio 1.3, 5.1.6).
public struct PassingFrame: Sendable {
  /// A private copy of the frame's first bytes; all headers that are looked at.
  public let head: ByteRegion
  /// Bytes of the whole frame.
  public let length: Int
  /// Where the bytes behind `head` lie: `firstVector ..< vectorsEnd`.
  public let vectors: RecordBuffer<IOVector>
  public let firstVector: Int
  public let vectorsEnd: Int
  /// The checksum field holds the pseudo-header's sum: who sent it vouches for the payload (NEEDS_CSUM).
  public var needsChecksum = false
  /// The host has verified the checksum (DATA_VALID).
  public var isVerified = false
  /// It is to be cut into segments: payload bytes of each; 0 if not.
  public var segmentSize: UInt16 = 0

  /// - Parameters:
  ///   - head: the whole frame, if it is shorter than what is looked at.
  public init(
    head: ByteRegion, length: Int, vectors: RecordBuffer<IOVector>, firstVector: Int, vectorsEnd: Int
  ) {
    self.head = head
    self.length = length
    self.vectors = vectors
    self.firstVector = firstVector
    self.vectorsEnd = vectorsEnd
  }

  /// The bytes behind `head`.
  @inlinable
  public var rest: VectorCursor { VectorCursor(vectors, first: firstVector, end: vectorsEnd) }
}
