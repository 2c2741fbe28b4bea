// SPDX-License-Identifier: Apache-2.0

/// What is known of a chunk besides its payload; its owner's, for lists of chunks.
public struct ChunkLink: BitwiseCopyable, Sendable {
  /// The chunk behind this one in its owner's list.
  public var next: RecordIndex
  /// The owner's own; the pool does not look at it.
  public var mark: UInt32

  @inlinable
  public init(next: RecordIndex = .none, mark: UInt32 = 0) {
    self.next = next
    self.mark = mark
  }
}
