// SPDX-License-Identifier: Apache-2.0

/// One buffer that the driver made available: a chain of descriptors, translated and checked.
public struct DescriptorChain: BitwiseCopyable, Sendable {
  /// What to give back in the used ring: the head's index (split) or the buffer id (packed).
  public var id: UInt16 = 0
  /// Where the chain stands in the ring, to go back to it: `lastAvailable` (split), or index and wrap bit (packed).
  var position: UInt16 = 0
  /// Ring slots that the chain takes; a packed ring's used index moves on by so many.
  var slots: UInt16 = 1
  /// False: the descriptors break the rules. The chain holds no vectors and goes back with length 0.
  public var isSound = true
  /// Its I/O vectors in the `ChainList` that it was popped into.
  public var firstVector: Int32 = 0
  public var vectorCount: Int32 = 0
  /// Bytes in its vectors.
  public var byteCount: Int = 0

  public init() {}
}
